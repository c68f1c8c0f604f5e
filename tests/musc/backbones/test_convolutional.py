"""Convolutional networks of timm: levels with grids of their own, from forward hooks, and files that do not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from musc import backbones
from musc.backbones import load, resolve
from musc.layers import Layer
from musc.settings import Settings

RESIDUAL = "test_resnet"  # timm's smallest ones, of 4 stages
MOBILE = "test_efficientnet"


def save_random(folder: Path, architecture: str, classes: int = 3) -> Path:
    """A file as people have it: with a classifier for classes of their own."""
    torch.manual_seed(3)
    path = folder / f"{architecture}-{classes}.pt"
    torch.save(timm.create_model(architecture, num_classes=classes).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("timm")
    return {architecture: save_random(folder, architecture) for architecture in (RESIDUAL, MOBILE)}


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    generator = np.random.default_rng(6)
    shapes = [(40, 60), (64, 64), (90, 35)]
    return [Image.fromarray(generator.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]


def outputs_of(architecture: str, path: Path, stages: list[str], pixels: torch.Tensor) -> list[torch.Tensor]:
    """What stages give, caught by hooks in a model that timm made and loaded by itself."""
    model: Any = timm.create_model(architecture, num_classes=3).eval()
    model.load_state_dict(torch.load(path, weights_only=True))
    caught: dict[str, torch.Tensor] = {}
    for name in stages:
        model.get_submodule(name).register_forward_hook(lambda _m, _i, output, name=name: caught.update({name: output}))
    with torch.no_grad():
        model(pixels)
    return [caught[name].flatten(2).transpose(1, 2) for name in stages]


@pytest.mark.parametrize(
    ("architecture", "levels", "stages"),
    [(RESIDUAL, (1, 3), ["layer1", "layer3"]), (MOBILE, (2, 3, 4), ["blocks.1", "blocks.2", "blocks.3"])],
)
@pytest.mark.parametrize("size", [(64, 64), (32, 96)])
def test_tokens_are_the_outputs_of_stages(
    files: dict[str, Path],
    images: list[Image.Image],
    architecture: str,
    levels: tuple[int, ...],
    stages: list[str],
    size: tuple[int, int],
) -> None:
    backbone = load(f"timm:{architecture}", weights=files[architecture], image_size=size, layers=levels, device="cpu")
    features = backbone.extract(images)
    pixels = torch.stack([backbone.preprocess(image) for image in images])
    expected = outputs_of(architecture, files[architecture], stages, pixels)
    torch.testing.assert_close(features.patch_tokens, expected, atol=1e-5, rtol=1e-5)
    for layer, tokens in zip(backbone.spec.layers, features.patch_tokens, strict=True):
        assert tokens.shape == (3, layer.patch_count, layer.width)
        assert layer.grid[0] * size[1] == layer.grid[1] * size[0], "patches are square"


@pytest.mark.parametrize("architecture", [RESIDUAL, MOBILE])
def test_class_tokens_are_the_embedding_that_the_classifier_sees(
    files: dict[str, Path], images: list[Image.Image], architecture: str
) -> None:
    backbone = load(f"timm:{architecture}", weights=files[architecture], image_size=64, device="cpu")
    model: Any = timm.create_model(architecture, num_classes=3).eval()
    model.load_state_dict(torch.load(files[architecture], weights_only=True))
    pixels = torch.stack([backbone.preprocess(image) for image in images])
    with torch.no_grad():
        expected = model.forward_head(model.forward_features(pixels), pre_logits=True)
    found = backbone.extract(images).class_tokens
    assert found.shape == (3, backbone.spec.embedding_width)
    torch.testing.assert_close(found, expected / expected.norm(dim=1, keepdim=True), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("architecture", [RESIDUAL, MOBILE])
def test_batch_changes_no_digit(files: dict[str, Path], images: list[Image.Image], architecture: str) -> None:
    backbone = load(f"timm:{architecture}", weights=files[architecture], image_size=64, device="cpu")
    together, alone = backbone.extract(images), backbone.extract(images, batch_size=1)
    assert all(map(torch.equal, together.patch_tokens, alone.patch_tokens))
    assert torch.equal(together.class_tokens, alone.class_tokens)


def test_layers_of_known_networks_have_grids_and_widths_of_their_own() -> None:
    assert resolve("timm:wide_resnet50_2").layers == (
        Layer(2, (40, 40), 512),
        Layer(3, (20, 20), 1024),
        Layer(4, (10, 10), 2048),
    )
    assert resolve("timm:resnet18", image_size=(256, 384), layers=(1, 2)).layers == (
        Layer(1, (64, 96), 64),
        Layer(2, (32, 48), 128),
    )
    assert [layer.width for layer in resolve("timm:convnext_tiny").layers] == [192, 384, 768]


def test_scoring_defaults_follow_the_family() -> None:
    for name in ("timm:resnet18", "efficientnet-lite0"):
        chosen = backbones.with_defaults(Settings(backbone=name))
        assert (chosen.degrees, chosen.rscin_windows) == ((1, 3), (1,))
    for name in ("ViT-L-14-336", "timm:vit_base_patch16_224", "dinov2_vits14", "texture"):
        chosen = backbones.with_defaults(Settings(backbone=name))
        assert (chosen.degrees, chosen.rscin_windows) == ((1, 3, 5), (1, 2, 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"image_size": 100},
            "image_size must have a height that is a multiple of the patch size 32, at least 32, got 100",
        ),
        ({"layers": (2, 5)}, r"layers must lie in 0 to 4 for a model of 5 layers, got \[5\]"),
        ({"layers": (3, 2)}, r"layers must grow strictly, got \(3, 2\)"),
        ({"quick_gelu": True}, "quick_gelu must be None for the backbone timm:resnet18, got True"),
        ({"position_antialias": True}, "position_antialias must be False for the backbone timm:resnet18"),
        ({"weights": "no_tag"}, "weights must be a file or one of a1_in1k, .* for timm:resnet18, got 'no_tag'"),
        ({"weights": "missing.pth"}, "weights must be an existing file or a tag, got 'missing.pth'"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        resolve("timm:resnet18", **arguments)


def test_image_size_goes_by_the_coarsest_level_taken() -> None:
    assert resolve("timm:resnet18", image_size=72, layers=(1, 2)).grid == (18, 18)


@pytest.mark.parametrize("name", ["timm:swin_tiny_patch4_window7_224", "timm:mixer_b16_224"])
def test_network_of_one_fixed_size_is_refused_at_another(name: str) -> None:
    message = f"backbone must give maps of its levels for images of 320 x 320 pixels, got '{name}' .*timm:resnet18"
    with pytest.raises(ValueError, match=f"(?s){message}"):
        resolve(name)


def test_file_of_another_network_is_refused(files: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match=r"weights file must fit timm:test_resnet, got .* missing: "):
        load(f"timm:{RESIDUAL}", weights=files[MOBILE], device="cpu")


def test_weights_out_of_reach_name_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    message = "weights 'a1_in1k' of timm:resnet18 must be on this machine .*timm/resnet18.a1_in1k.*efficientnet-lite0`"
    with pytest.raises(backbones.WeightsUnavailableError, match=f"(?s){message}"):
        load("timm:resnet18", device="cpu")
