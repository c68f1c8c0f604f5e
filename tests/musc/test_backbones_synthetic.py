"""The built-in network: what its name resolves to, the shape and stability of its features, and what it finds."""

import dataclasses
import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musc import backbones
from musc.backbones import synthetic
from musc.backbones.base import Backbone, Features
from musc.backbones.pyramid import STRIDES, TOKEN_WIDTH, PyramidEncoder, normalise
from musc.backbones.weights import WeightsUnavailableError, unavailable
from musc.lot import score_images
from musc.metrics import image_metrics, pixel_metrics
from storage.defects import KINDS
from storage.generated import draw_part

Size = tuple[int, int]


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """Two random pictures of 48 × 80 pixels, smooth enough to have contrast at every scale."""
    generator = torch.Generator().manual_seed(7)
    coarse = torch.rand((2, 3, 12, 20), generator=generator)
    fine = torch.rand((2, 3, 48, 80), generator=generator)
    return 0.6 * torch.nn.functional.interpolate(coarse, size=(48, 80), mode="bilinear") + 0.2 * fine + 0.1


def make_backbone(image_size: int | Size | None = None, layers: tuple[int, ...] | None = None) -> Backbone:
    return synthetic.build(
        synthetic.resolve("synthetic-conv", image_size=image_size, layers=layers), torch.device("cpu")
    )


def describe(pictures: torch.Tensor, layers: tuple[int, ...] | None = None) -> Features:
    height, width = pictures.shape[-2:]
    return make_backbone((height, width), layers).forward(pictures)


@pytest.mark.parametrize(("name", "accepted"), [("synthetic-conv", True), ("synthetic", False), ("texture", False)])
def test_synthetic_accepts_its_own_name_only(name: str, accepted: bool) -> None:
    assert synthetic.accepts(name) is accepted


def test_synthetic_is_listed_and_found_by_name() -> None:
    assert "synthetic-conv" in backbones.names()
    assert backbones.resolve("synthetic-conv") == synthetic.resolve("synthetic-conv")


def test_synthetic_spec_identifies_the_packaged_weights() -> None:
    spec = synthetic.resolve("synthetic-conv")
    packaged = files("musc.backbones").joinpath("synthetic-conv.safetensors").read_bytes()
    assert spec.weights == "built-in"
    assert spec.weights_digest == "sha256:" + hashlib.sha256(packaged).hexdigest()
    assert len(packaged) <= 5_000_000


def test_synthetic_card_is_packaged_and_names_the_weights() -> None:
    card = files("musc.backbones").joinpath("synthetic-conv.md").read_text("utf-8")
    assert synthetic.resolve("synthetic-conv").weights_digest.removeprefix("sha256:") in card
    assert "python -m training.train" in card


@pytest.mark.parametrize(
    ("image_size", "expected", "grid"), [(64, (64, 64), (8, 8)), ((48, 80), (48, 80), (6, 10)), (16, (16, 16), (2, 2))]
)
def test_synthetic_spec_takes_one_side_or_two(image_size: int | Size, expected: Size, grid: Size) -> None:
    spec = synthetic.resolve("synthetic-conv", image_size=image_size)
    assert (spec.image_size, spec.grid) == (expected, grid)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quick_gelu": False}, "quick_gelu must be None for the backbone synthetic-conv, got False; leave it out"),
        ({"position_antialias": True}, "position_antialias must be False for the backbone synthetic-conv, got True"),
        ({"image_size": 250}, "a multiple of the patch size 8, at least 16, got 250; use 248 or 256"),
        ({"image_size": (256, 8)}, r"a width that is a multiple .* 8, at least 16, got \(256, 8\); use 16 or 24"),
        ({"image_size": -8}, "a multiple of the patch size 8, at least 16, got -8; use 16 or 24"),
        ({"layers": ()}, "layers must name at least one layer, got none; leave it out"),
        ({"layers": (1, 0)}, r"layers must grow strictly, got \(1, 0\); use \(0, 1\)"),
        ({"layers": (-1, 2, 5)}, r"layers must lie in 0 to 1 for a model of 2 layers, got \[-1, 2, 5\]"),
    ],
)
def test_synthetic_refuses(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        synthetic.resolve("synthetic-conv", **arguments)  # type: ignore[arg-type]


def test_synthetic_refuses_another_name() -> None:
    with pytest.raises(ValueError, match="name must be 'synthetic-conv' for the built-in network, got 'ViT-B-16'"):
        synthetic.resolve("ViT-B-16")


def test_synthetic_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="weights must be an existing file"):
        synthetic.resolve("synthetic-conv", weights=str(tmp_path / "none.safetensors"))


def test_synthetic_refuses_other_weights_than_were_resolved() -> None:
    spec = dataclasses.replace(synthetic.resolve("synthetic-conv"), weights_digest="sha256:00")
    with pytest.raises(ValueError, match="weights file must still have the content it was resolved with"):
        synthetic.build(spec, torch.device("cpu"))


@pytest.mark.parametrize("image_size", [(64, 64), (48, 80), (16, 24)])
def test_synthetic_features_have_the_promised_shapes(image_size: Size) -> None:
    backbone = make_backbone(image_size)
    features = backbone.extract([Image.new("L", (31, 57), level) for level in (20, 120, 220)])
    spec = backbone.spec
    assert [tokens.shape for tokens in features.patch_tokens] == [(3, spec.patch_count, spec.width)] * len(spec.layers)
    assert features.class_tokens.shape == (3, spec.embedding_width)
    assert {tensor.dtype for tensor in (*features.patch_tokens, features.class_tokens)} == {torch.float32}


def test_synthetic_features_are_the_same_every_time(pictures: torch.Tensor) -> None:
    torch.testing.assert_close(describe(pictures), describe(pictures), rtol=0, atol=0)


def test_synthetic_features_do_not_depend_on_the_batch(pictures: torch.Tensor) -> None:
    together, alone = describe(pictures), describe(pictures[1:])
    second = Features([level[1:] for level in together.patch_tokens], together.class_tokens[1:])
    torch.testing.assert_close(second, alone, rtol=0, atol=0)


def test_synthetic_levels_are_those_asked_for(pictures: torch.Tensor) -> None:
    every, some = describe(pictures, layers=(0, 1)), describe(pictures, layers=(1,))
    torch.testing.assert_close(some.patch_tokens, every.patch_tokens[1:])


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_synthetic_features_of_a_blank_image_are_finite(level: float) -> None:
    features = describe(torch.full((1, 3, 32, 32), level))
    assert all(bool(torch.isfinite(tokens).all()) for tokens in features.patch_tokens)
    torch.testing.assert_close(features.class_tokens.norm(dim=1), torch.ones(1))


def test_synthetic_class_tokens_are_the_mean_of_the_tokens(pictures: torch.Tensor) -> None:
    features = describe(pictures, layers=(0, 1))
    means = torch.cat([tokens.double().mean(dim=1) for tokens in features.patch_tokens], dim=1)
    expected = means / means.norm(dim=1, keepdim=True)
    torch.testing.assert_close(features.class_tokens.double(), expected, rtol=0, atol=1e-6)


def test_synthetic_takes_the_finest_level_unless_told_otherwise(pictures: torch.Tensor) -> None:
    torch.testing.assert_close(describe(pictures).patch_tokens, describe(pictures, layers=(0, 1)).patch_tokens[:1])


def test_synthetic_brightness_changes_nothing(pictures: torch.Tensor) -> None:
    for dark, light in zip(describe(pictures).patch_tokens, describe(pictures + 0.1).patch_tokens, strict=True):
        torch.testing.assert_close(light, dark, rtol=0, atol=2e-3)


def test_normalise_gives_mean_0_and_about_unit_deviation(pictures: torch.Tensor) -> None:
    brightness = normalise(pictures).mean(dim=1)
    torch.testing.assert_close(brightness.mean(dim=(1, 2)), torch.zeros(2), rtol=0, atol=1e-5)
    assert 0.7 < float(brightness.std()) < 1


def test_encoder_averages_finer_cells(pictures: torch.Tensor) -> None:
    network = PyramidEncoder().eval()
    fine = network.heads[0](network.levels[0](torch.relu(network.stem(pictures))))
    expected = fine.unflatten(3, (10, 2)).unflatten(2, (6, 2)).mean(dim=(3, 5))
    torch.testing.assert_close(network(pictures)[0], expected)


def test_encoder_levels_share_the_grid(pictures: torch.Tensor) -> None:
    maps = PyramidEncoder().eval()(pictures)
    assert [cells.shape for cells in maps] == [(2, TOKEN_WIDTH, 6, 10)] * len(STRIDES)


def test_weights_out_of_reach_name_this_backbone_as_the_way_out() -> None:
    error = unavailable("weights openai of ViT-L-14-336", "no route to host", "the file")
    assert isinstance(error, WeightsUnavailableError)
    assert "use `--backbone synthetic-conv`, whose weights come with this package" in str(error)


@pytest.fixture(scope="module")
def planted_figures() -> dict[str, float]:
    """Figures on nine good and five defective drawn parts, at one degree to be quick."""
    drawn = [draw_part("cast", seed=11, number=number) for number in range(9)]
    drawn += [draw_part("cast", kind, seed=11) for kind in KINDS]
    masks = np.stack([mask for _, mask in drawn])
    scored = score_images([Image.fromarray(picture) for picture, _ in drawn], make_backbone(), degrees=(1,))
    return {
        "image": image_metrics(masks.any(axis=(1, 2)), scored.image_scores)["auroc"],
        "pixel": pixel_metrics(masks, scored.anomaly_maps)["auroc"],
    }


@pytest.mark.parametrize(("figure", "bound"), [("image", 0.85), ("pixel", 0.95)])
def test_synthetic_finds_planted_defects(planted_figures: dict[str, float], figure: str, bound: float) -> None:
    assert planted_figures[figure] > bound
