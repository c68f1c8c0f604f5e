"""CLIP backbones on tiny models made here, against open_clip's own loading and forward hooks on its blocks."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import safetensors.torch
import torch
from PIL import Image

from musc.backbones import load, resolve

NAME = "ViT-tiny-tested-here"
CONFIG = json.loads((Path(__file__).parents[3] / "data" / "ViT-toy.json").read_text())


def register(folder: Path, name: str, **changes: object) -> str:
    (folder / f"{name}.json").write_text(json.dumps({**CONFIG, **changes}))
    open_clip.add_model_config(folder / f"{name}.json")
    return name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    register(folder, NAME)
    register(folder, f"{NAME}-quickgelu", quick_gelu=True)
    return folder


@pytest.fixture(scope="module")
def state(folder: Path) -> dict[str, torch.Tensor]:
    """A whole CLIP with weights large enough for every part of it to show."""
    torch.manual_seed(11)
    model = open_clip.create_model(NAME)
    return {name: torch.randn_like(t) * 0.3 if t.ndim else t for name, t in model.state_dict().items()}


@pytest.fixture(scope="module")
def whole_file(folder: Path, state: dict[str, torch.Tensor]) -> Path:
    torch.save(state, folder / "whole.pt")
    return folder / "whole.pt"


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    generator = np.random.default_rng(5)
    shapes = [(40, 60), (32, 32), (25, 90), (64, 48), (33, 31)]
    return [Image.fromarray(generator.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]


def describe_with_open_clip(pixels: torch.Tensor, layers: tuple[int, ...], **options: Any) -> tuple[list, torch.Tensor]:
    """open_clip's own model; the outputs of its blocks are caught by hooks."""
    model = open_clip.create_model(NAME, **options).eval()
    caught: dict[int, torch.Tensor] = {}
    for number, block in enumerate(model.visual.transformer.resblocks):
        block.register_forward_hook(lambda _module, _inputs, output, number=number: caught.update({number: output}))
    with torch.no_grad():
        embedding = model.encode_image(pixels, normalize=True)
    return [caught[layer][:, 1:] for layer in layers], embedding


@pytest.mark.parametrize("quick_gelu", [False, True])
@pytest.mark.parametrize("size", [(32, 32), (48, 48), (24, 56), (64, 24)])
def test_features_open_clip_own_way(
    whole_file: Path, images: list[Image.Image], size: tuple[int, int], quick_gelu: bool
) -> None:
    backbone = load(
        NAME, weights=whole_file, image_size=size, layers=(1, 2), device="cpu", quick_gelu=quick_gelu,
        position_antialias=True,
    )  # fmt: skip
    features = backbone.extract(images)
    pixels = torch.stack([backbone.preprocess(image) for image in images])
    tokens, embedding = describe_with_open_clip(
        pixels, (1, 2), pretrained=str(whole_file), force_image_size=size, force_quick_gelu=quick_gelu
    )
    torch.testing.assert_close(features.patch_tokens, tokens, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(features.class_tokens, embedding, atol=1e-5, rtol=1e-5)


def test_features_shapes_match_spec(whole_file: Path, images: list[Image.Image]) -> None:
    backbone = load(NAME, weights=whole_file, image_size=(24, 56), device="cpu")
    features = backbone.extract(images)
    assert [tuple(tokens.shape) for tokens in features.patch_tokens] == [(5, 21, 32)] * 4
    assert tuple(features.class_tokens.shape) == (5, backbone.spec.embedding_width) == (5, 24)


def test_features_layers_apart_from_each_other(whole_file: Path, images: list[Image.Image]) -> None:
    """Each layer alone gives what it gives among others."""
    together = load(NAME, weights=whole_file, image_size=32, device="cpu").extract(images)
    alone = load(NAME, weights=whole_file, image_size=32, layers=[2], device="cpu").extract(images)
    torch.testing.assert_close(alone.patch_tokens[0], together.patch_tokens[2], atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_features_batch_composition_irrelevant(whole_file: Path, images: list[Image.Image], batch_size: int) -> None:
    backbone = load(NAME, weights=whole_file, image_size=48, device="cpu")
    expected = backbone.extract(images[::-1], batch_size=3)
    features = backbone.extract(images, batch_size=batch_size)
    for tokens, reversed_tokens in zip(features.patch_tokens, expected.patch_tokens, strict=True):
        torch.testing.assert_close(tokens, reversed_tokens.flip(0), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(features.class_tokens, expected.class_tokens.flip(0), atol=1e-6, rtol=1e-6)


def test_features_repeat_exactly(whole_file: Path, images: list[Image.Image]) -> None:
    first, second = (load(NAME, weights=whole_file, image_size=48, device="cpu").extract(images) for _ in range(2))
    torch.testing.assert_close(first, second, atol=0, rtol=0)


@pytest.mark.parametrize("prefix", ["visual.", ""])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_load_image_tower_alone(
    tmp_path: Path,
    state: dict[str, torch.Tensor],
    whole_file: Path,
    images: list[Image.Image],
    prefix: str,
    suffix: str,
) -> None:
    tower = {n.replace("visual.", prefix): t.contiguous() for n, t in state.items() if n.startswith("visual.")}
    path = tmp_path / f"tower{suffix}"
    safetensors.torch.save_file(tower, path) if suffix == ".safetensors" else torch.save({"state_dict": tower}, path)
    found = load(NAME, weights=path, image_size=48, device="cpu").extract(images[:1])
    expected = load(NAME, weights=whole_file, image_size=48, device="cpu").extract(images[:1])
    torch.testing.assert_close(found, expected, atol=0, rtol=0)


def test_load_keeps_no_text_tower_and_no_gradients(whole_file: Path) -> None:
    tower = load(NAME, weights=whole_file, image_size=32, device="cpu").forward.keywords["tower"]  # type: ignore[attr-defined]
    parameters = dict(tower.named_parameters())
    assert not any("token_embedding" in name for name in parameters)
    assert not any(parameter.requires_grad for parameter in parameters.values())
    assert not tower.training


def test_resolve_file_recorded_by_content(whole_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(whole_file.parent)
    spec = resolve(NAME, weights=whole_file.name)
    assert spec.weights == str(whole_file)
    assert spec.weights_digest == "sha256:" + hashlib.sha256(whole_file.read_bytes()).hexdigest()


def test_load_file_of_another_width_refused(tmp_path: Path, folder: Path, whole_file: Path) -> None:
    other = register(folder, f"{NAME}-wide", vision_cfg={**CONFIG["vision_cfg"], "width": 48})
    message = rf"must fit the image tower of {other}, got what seems to be a CLIP ViT of width 32 and patch 8 \(.*shape"
    with pytest.raises(ValueError, match=message):
        load(other, weights=whole_file, image_size=32, device="cpu")


def test_load_file_of_another_family_refused(tmp_path: Path, folder: Path) -> None:
    torch.save({"cls_token": torch.zeros(1, 1, 8), "blocks.0.norm1.weight": torch.zeros(8)}, tmp_path / "dino.pt")
    with pytest.raises(ValueError, match=r"seems to be a timm or DINO ViT \(\d+ missing: .*2 unexpected: .*choose"):
        load(NAME, weights=tmp_path / "dino.pt", image_size=32, device="cpu")


def test_load_without_weights_of_registered_model_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=rf"weights must be a file for {NAME}, as no published weights are known"):
        load(NAME, device="cpu")


@pytest.mark.parametrize(
    ("name", "tag", "image_size", "activation"),
    [
        ("ViT-L-14-336", "openai", 336, "quick_gelu"),
        ("ViT-L-14-336", "openai", 518, "gelu"),
        ("ViT-L-14-336", "openai", (336, 350), "gelu"),
        ("ViT-B-16", "openai", 224, "quick_gelu"),
        ("ViT-B-16", "laion400m_e32", 224, "gelu"),
        ("ViT-B-16", "dfn2b", 512, "quick_gelu"),
        ("ViT-B-16-plus-240", None, 240, "gelu"),
        ("ViT-L-14-quickgelu", "openai", 518, "quick_gelu"),
    ],
)
def test_resolve_activation_of_tags(name: str, tag: str | None, image_size: Any, activation: str) -> None:
    assert resolve(name, weights=tag, image_size=image_size).activation == activation


@pytest.mark.parametrize(
    ("name", "image_size", "activation"),
    [
        ("ViT-B-16", 224, "quick_gelu"),
        ("ViT-B-16", 512, "gelu"),
        (NAME, 32, "gelu"),
        (f"{NAME}-quickgelu", 32, "quick_gelu"),
        (f"{NAME}-quickgelu", 48, "quick_gelu"),
    ],
)
def test_resolve_activation_of_files(whole_file: Path, name: str, image_size: int, activation: str) -> None:
    assert resolve(name, weights=whole_file, image_size=image_size).activation == activation


@pytest.mark.parametrize(("quick_gelu", "activation"), [(True, "quick_gelu"), (False, "gelu")])
@pytest.mark.parametrize("image_size", [336, 518])
def test_resolve_activation_forced(quick_gelu: bool, activation: str, image_size: int) -> None:
    assert resolve("ViT-L-14-336", image_size=image_size, quick_gelu=quick_gelu).activation == activation


def test_preprocess_stretches_whole_image(whole_file: Path) -> None:
    """The aspect is not kept and nothing is cropped: both halves of a wide picture are seen."""
    picture = Image.new("RGB", (200, 50), (255, 255, 255))
    picture.paste((0, 0, 0), (0, 0, 100, 50))
    pixels = load(NAME, weights=whole_file, image_size=(24, 32), device="cpu").preprocess(picture)
    mean, std = (torch.tensor(v).view(3, 1) for v in (open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD))
    assert tuple(pixels.shape) == (3, 24, 32)
    torch.testing.assert_close(pixels[:, :, 4], (-mean / std).expand(3, 24), atol=1e-5, rtol=0)
    torch.testing.assert_close(pixels[:, :, 27], ((1 - mean) / std).expand(3, 24), atol=1e-5, rtol=0)
