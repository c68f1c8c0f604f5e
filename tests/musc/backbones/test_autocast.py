"""Half precision of backbones: what `auto` means, that it is part of the specification, and how far features move."""

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from musc.backbones import Backbone, load, resolve
from musc.backbones.feature_options import choose_precision

NAME = "ViT-tiny-autocast"
CONFIG = Path(__file__).parents[2] / "data" / "ViT-toy.json"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("autocast")
    (folder / f"{NAME}.json").write_text(CONFIG.read_text())
    open_clip.add_model_config(folder / f"{NAME}.json")
    torch.manual_seed(2)
    torch.save(open_clip.create_model(NAME).visual.state_dict(), folder / "tiny.pt")
    return str(folder / "tiny.pt")


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    generator = np.random.default_rng(5)
    return [Image.fromarray(generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)) for _ in range(3)]


def tiny(weights: str, precision: str) -> Backbone:
    return load(NAME, weights=weights, image_size=32, device="cpu", precision=precision)


@pytest.mark.parametrize(
    ("device", "float32_only", "expected"),
    [("cuda", False, "float16"), ("cpu", False, "float32"), ("cuda", True, "float32")],
    ids=["gpu", "processor", "needs_float32"],
)
def test_precision_auto(device: str, float32_only: bool, expected: str) -> None:
    assert choose_precision("auto", NAME, device, float32_only=float32_only) == expected


def test_precision_auto_is_settled_when_resolved(weights: str) -> None:
    assert resolve(NAME, weights=weights, device="cpu").precision == "float32"
    assert resolve(NAME, weights=weights, precision="bfloat16", device="cpu").precision == "bfloat16"


@pytest.mark.parametrize(("precision", "tolerance"), [("float16", 2e-3), ("bfloat16", 2e-2)])
def test_half_precision_features_are_near_and_wide(
    weights: str, images: list[Image.Image], precision: str, tolerance: float
) -> None:
    exact, half = (tiny(weights, word).extract(images) for word in ("float32", precision))
    for ours, theirs in zip(
        (*half.patch_tokens, half.class_tokens), (*exact.patch_tokens, exact.class_tokens), strict=True
    ):
        assert ours.dtype == torch.float32
        error = (ours - theirs).norm() / theirs.norm()
        assert 0 < error < tolerance


def test_precision_unknown_is_refused() -> None:
    with pytest.raises(ValueError, match="precision must be one of auto, float32, float16, bfloat16, got 'int8'"):
        resolve("ViT-B-16", precision="int8")


def test_precision_half_is_refused_by_the_built_in_filters() -> None:
    with pytest.raises(ValueError, match="precision must be float32 for the backbone texture, got float16"):
        resolve("texture", precision="float16")
