"""The DINO family on timm's smallest models, against timm's own loading and forward hooks on its blocks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from musc.backbone_families import DINO_MODELS
from musc.backbones import load, resolve
from musc.backbones.timm_models import sketch
from musc.backbones.vision_transformers.dino import adapt, position_offset
from musc.backbones.vision_transformers.positions import resize_positions

LEARNED = "test_vit"  # learned positions, one prefix token, 6 blocks of width 64, own size 160
ROTARY = "vit_tiny_patch16_dinov3_qkvb"  # DINOv3's layout: rotary positions, five prefix tokens


def save_random(folder: Path, architecture: str) -> Path:
    torch.manual_seed(3)
    model = timm.create_model(architecture, num_classes=0)
    state = {name: t + 0.1 * torch.randn_like(t) for name, t in model.state_dict().items()}
    torch.save(state, folder / f"{architecture}.pt")
    return folder / f"{architecture}.pt"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("timm")
    return {architecture: save_random(folder, architecture) for architecture in (LEARNED, ROTARY)}


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    generator = np.random.default_rng(6)
    shapes = [(40, 60), (64, 64), (90, 35)]
    return [Image.fromarray(generator.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]


def describe_with_timm(
    architecture: str, path: Path, pixels: torch.Tensor, layers: tuple[int, ...]
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """timm's own way to another input size; the outputs of its blocks are caught by hooks, then normed."""
    model: Any = timm.create_model(architecture, num_classes=0).eval()
    model.load_state_dict(torch.load(path, weights_only=True))
    model.set_input_size(tuple(pixels.shape[-2:]))
    caught: dict[int, torch.Tensor] = {}
    for number, block in enumerate(model.blocks):
        block.register_forward_hook(lambda _module, _inputs, output, number=number: caught.update({number: output}))
    with torch.no_grad():
        final = model.forward_features(pixels)
        tokens = [model.norm(caught[layer])[:, model.num_prefix_tokens :] for layer in layers]
    return tokens, final[:, 0] / final[:, 0].norm(dim=1, keepdim=True)


@pytest.mark.parametrize("architecture", [LEARNED, ROTARY])
@pytest.mark.parametrize("size", [(160, 160), (64, 64), (48, 112)])
def test_features_timm_own_way(
    files: dict[str, Path], images: list[Image.Image], architecture: str, size: tuple[int, int]
) -> None:
    backbone = load(
        f"timm:{architecture}",
        weights=files[architecture],
        image_size=size,
        layers=(2, 5),
        device="cpu",
        position_antialias=True,
    )
    features = backbone.extract(images)
    pixels = torch.stack([backbone.preprocess(image) for image in images])
    tokens, class_tokens = describe_with_timm(architecture, files[architecture], pixels, (2, 5))
    torch.testing.assert_close(features.patch_tokens, tokens, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(features.class_tokens, class_tokens, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("architecture", [LEARNED, ROTARY])
def test_features_shapes_match_spec(files: dict[str, Path], images: list[Image.Image], architecture: str) -> None:
    backbone = load(f"timm:{architecture}", weights=files[architecture], image_size=(48, 112), device="cpu")
    features, spec = backbone.extract(images), backbone.spec
    assert [layer.grid for layer in spec.layers] == [(3, 7)] * 4
    assert [tuple(tokens.shape) for tokens in features.patch_tokens] == [(3, 21, spec.layers[0].width)] * 4
    assert len({layer.width for layer in spec.layers}) == 1
    assert tuple(features.class_tokens.shape) == (3, spec.embedding_width)


def test_features_positions_without_antialias_by_default(files: dict[str, Path], images: list[Image.Image]) -> None:
    default, antialiased = (
        load(f"timm:{LEARNED}", weights=files[LEARNED], image_size=64, device="cpu", position_antialias=chosen)
        .extract(images)
        .patch_tokens[0]
        for chosen in (False, True)
    )
    assert (default - antialiased).abs().max() > 1e-2


def test_features_batch_composition_irrelevant(files: dict[str, Path], images: list[Image.Image]) -> None:
    backbone = load(f"timm:{LEARNED}", weights=files[LEARNED], image_size=64, device="cpu")
    one_by_one, together = (backbone.extract(images, batch_size=size) for size in (1, 3))
    torch.testing.assert_close(one_by_one, together, atol=1e-5, rtol=1e-5)


def test_load_file_with_classifier_left_out(tmp_path: Path, files: dict[str, Path], images: list[Image.Image]) -> None:
    state = torch.load(files[LEARNED], weights_only=True)
    torch.save({**state, "head.weight": torch.zeros(10, 64), "head.bias": torch.zeros(10)}, tmp_path / "with_head.pt")
    found, expected = (
        load(f"timm:{LEARNED}", weights=path, image_size=64, device="cpu").extract(images)
        for path in (tmp_path / "with_head.pt", files[LEARNED])
    )
    torch.testing.assert_close(found, expected, atol=0, rtol=0)


def test_load_file_saved_at_run_size(tmp_path: Path, files: dict[str, Path], images: list[Image.Image]) -> None:
    """A file whose positions already have the grid asked for is taken as it is."""
    state = torch.load(files[LEARNED], weights_only=True)
    positions = torch.randn(1, 17, 64, generator=torch.Generator().manual_seed(1))
    torch.save({**state, "pos_embed": positions}, tmp_path / "at_64.pt")
    backbone = load(f"timm:{LEARNED}", weights=tmp_path / "at_64.pt", image_size=64, device="cpu")
    model = backbone.forward.keywords["model"]  # type: ignore[attr-defined]
    torch.testing.assert_close(model.pos_embed, positions, atol=0, rtol=0, check_stride=False)


def test_load_file_of_another_patch_size_refused(tmp_path: Path, files: dict[str, Path]) -> None:
    """timm would resize the patch kernels without a word."""
    state = torch.load(files[LEARNED], weights_only=True)
    torch.save({**state, "patch_embed.proj.weight": torch.zeros(64, 3, 8, 8)}, tmp_path / "patch_8.pt")
    message = r"must fit timm:test_vit, got what seems to be a timm or DINO ViT of width 64 and patch 8 \(.*shape"
    with pytest.raises(ValueError, match=message):
        load(f"timm:{LEARNED}", weights=tmp_path / "patch_8.pt", image_size=64, device="cpu")


def test_load_file_of_another_model_refused(files: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match=r"must fit timm:test_vit, got what seems to be .* of width 192 and patch 16"):
        load(f"timm:{LEARNED}", weights=files[ROTARY], image_size=64, device="cpu")


def as_meta_wrote(name: str, registers: str) -> dict[str, torch.Tensor]:
    """A state dict of shapes only, in the names of Meta's own files, with real position embeddings."""
    state = dict(sketch(name).state_dict())
    state["mask_token"] = torch.zeros(1, state["cls_token"].shape[-1])
    if registers:
        state[registers] = state.pop("reg_token")
    if "pos_embed" in state:
        prefixes = 1 if registers else 0
        count, width = state["pos_embed"].shape[1:]
        state["cls_token"] = torch.zeros(1, 1, width)
        state["pos_embed"] = torch.randn(1, count + prefixes, width, generator=torch.Generator().manual_seed(2))
    return state


@pytest.mark.parametrize(
    ("name", "registers"), [("dinov2_vits14", ""), ("dinov2_vits14_reg", "register_tokens"), ("dino_vits16", "")]
)
def test_adapt_metas_files_named_as_timm_does(name: str, registers: str) -> None:
    spec = resolve(name, image_size=(224, 448) if name.endswith("16") else (224, 266))
    adapted = adapt(as_meta_wrote(name, registers), spec)
    assert adapted.keys() == sketch(name).state_dict().keys()
    assert adapted["pos_embed"].shape[1] == spec.layers[0].patch_count + (0 if registers else 1)


def test_adapt_metas_dinov3_layer_names() -> None:
    expected = dict(sketch("dinov3_vits16").state_dict())
    metas = {
        name.replace("reg_token", "storage_tokens").replace("gamma_1", "ls1.gamma").replace("gamma_2", "ls2.gamma"): t
        for name, t in expected.items()
    }
    metas |= {"mask_token": torch.zeros(1, 384), "rope_embed.periods": torch.zeros(16)}
    metas |= {f"blocks.{block}.attn.qkv.bias": torch.zeros(1152) for block in range(12)}
    assert adapt(metas, resolve("dinov3_vits16")).keys() == expected.keys()


def test_adapt_dinov2_positions_by_metas_rule() -> None:
    """Resized with the scale (grid + 0.1) / own grid, as in the code behind the published DINO numbers."""
    state = as_meta_wrote("dinov2_vits14", "")
    positions = state["pos_embed"][0].clone()
    adapted = adapt(state, resolve("dinov2_vits14", image_size=336))
    expected = resize_positions(
        positions, prefix_count=1, trained_grid=(37, 37), grid=(24, 24), antialias=False, offset=0.1
    )
    torch.testing.assert_close(adapted["pos_embed"][0], expected, atol=0, rtol=0)


@pytest.mark.parametrize(
    ("name", "offset"),
    [("dino_vitbase16", 0.1), ("dinov2_vitl14", 0.1), ("dinov2_vitl14_reg", 0.0), ("timm:test_vit", 0.0)],
)
def test_position_offset_metas_models_only(name: str, offset: float) -> None:
    assert position_offset(name) == offset


@pytest.mark.parametrize("name", DINO_MODELS)
def test_catalogue_published_weights_known_to_timm(name: str) -> None:
    source = timm.models.get_pretrained_cfg(DINO_MODELS[name], allow_unregistered=False)
    assert source is not None
    assert source.hf_hub_id
    assert source.mean == timm.data.IMAGENET_DEFAULT_MEAN


def test_resolve_tag_in_the_name() -> None:
    assert resolve("timm:vit_small_patch16_224.dino").weights_digest == "timm:vit_small_patch16_224.dino"


def test_resolve_tag_as_weights() -> None:
    assert resolve("dinov3_vitl16", weights="sat493m").weights_digest == "timm:vit_large_patch16_dinov3.sat493m"


def test_preprocess_imagenet_mean_and_std(files: dict[str, Path], tmp_path: Path) -> None:
    backbone = load("timm:vit_tiny_patch16_dinov3_qkvb", weights=files[ROTARY], image_size=(32, 64), device="cpu")
    pixels = backbone.preprocess(Image.new("RGB", (30, 10), (255, 0, 0)))
    assert tuple(pixels.shape) == (3, 32, 64)
    expected = [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]
    np.testing.assert_allclose(pixels[:, 5, 5].numpy(), expected, rtol=1e-5)
