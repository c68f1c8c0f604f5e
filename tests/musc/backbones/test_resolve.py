"""Resolving names, sizes and layers: no weights, no network, quick."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from musc.backbones import build, load, names, resolve
from musc.layers import Layer

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "published_results.csv"

# name, image size of the published tables, grid, C, D, layers, activation
PUBLISHED_MODELS = [
    ("ViT-B-16", 256, 16, 768, 512, (2, 5, 8, 11), "gelu"),
    ("ViT-B-16", 512, 32, 768, 512, (2, 5, 8, 11), "gelu"),
    ("ViT-B-16-plus-240", 240, 15, 896, 640, (2, 5, 8, 11), "gelu"),
    ("ViT-B-16-plus-240", 512, 32, 896, 640, (2, 5, 8, 11), "gelu"),
    ("ViT-B-32", 256, 8, 768, 512, (2, 5, 8, 11), "gelu"),
    ("ViT-B-32", 512, 16, 768, 512, (2, 5, 8, 11), "gelu"),
    ("ViT-L-14", 336, 24, 1024, 768, (5, 11, 17, 23), "gelu"),
    ("ViT-L-14", 518, 37, 1024, 768, (5, 11, 17, 23), "gelu"),
    ("ViT-L-14-336", 336, 24, 1024, 768, (5, 11, 17, 23), "quick_gelu"),
    ("ViT-L-14-336", 518, 37, 1024, 768, (5, 11, 17, 23), "gelu"),
    ("dino_vitbase16", 256, 16, 768, 768, (2, 5, 8, 11), "none"),
    ("dino_vitbase16", 512, 32, 768, 768, (2, 5, 8, 11), "none"),
    ("dinov2_vitb14", 336, 24, 768, 768, (2, 5, 8, 11), "none"),
    ("dinov2_vitb14", 518, 37, 768, 768, (2, 5, 8, 11), "none"),
    ("dinov2_vitl14", 336, 24, 1024, 1024, (5, 11, 17, 23), "none"),
    ("dinov2_vitl14", 518, 37, 1024, 1024, (5, 11, 17, 23), "none"),
]


@pytest.mark.parametrize(("name", "side", "rows", "width", "embedding_width", "layers", "activation"), PUBLISHED_MODELS)
def test_resolve_published_models(
    name: str, side: int, rows: int, width: int, embedding_width: int, layers: tuple[int, ...], activation: str
) -> None:
    spec = resolve(name, image_size=side)
    found = (spec.image_size, spec.grid, spec.embedding_width, spec.layers, spec.activation)
    alike = tuple(Layer(number, (rows, rows), width) for number in layers)
    assert found == ((side, side), (rows, rows), embedding_width, alike, activation)


def test_resolve_published_table_is_covered() -> None:
    if not PUBLISHED.is_file():
        pytest.skip("the published results are not beside the project")
    rows = [line.split(",") for line in PUBLISHED.read_text().splitlines()[1:]]
    assert {(row[2], int(row[3])) for row in rows} == {(model[0], model[1]) for model in PUBLISHED_MODELS}


@pytest.mark.parametrize(
    ("name", "side"), [("ViT-L-14-336", 518), ("ViT-B-16-plus-240", 512), ("ViT-B-32", 512), ("dinov2_vits14", 518)]
)
def test_resolve_default_image_size(name: str, side: int) -> None:
    assert resolve(name).image_size == (side, side)


@pytest.mark.parametrize("name", [name for name in names() if name != "texture"])
def test_resolve_every_name_whole_patches(name: str) -> None:
    spec = resolve(name)
    assert spec.name == name
    for layer in spec.layers:
        assert [side % cells for side, cells in zip(spec.image_size, layer.grid, strict=True)] == [0, 0]
        assert layer.patch_count == layer.grid[0] * layer.grid[1]


def test_resolve_height_before_width() -> None:
    assert resolve("ViT-B-16", image_size=(224, 448)).grid == (14, 28)


def test_resolve_layers_as_given() -> None:
    assert [layer.number for layer in resolve("ViT-L-14", layers=[0, 23]).layers] == [0, 23]


def test_resolve_default_layers_of_few_blocks_distinct() -> None:
    assert [layer.number for layer in resolve("timm:test_vit").layers] == [1, 2, 4, 5]


def test_resolve_equal_arguments_equal_specs() -> None:
    assert resolve("ViT-B-16") == resolve("ViT-B-16", weights="openai", image_size=512, layers=[2, 5, 8, 11])


@pytest.mark.parametrize("name", ["ViT-L-14_336", "RN50", "coca_ViT-L-14", "timm:resnet_99", "timm:test_vit.none", ""])
def test_resolve_unknown_name_refused(name: str) -> None:
    message = rf"backbone must be a name known here, another open_clip .* or timm:.*, got '{name}'; "
    with pytest.raises(ValueError, match=message):
        resolve(name)


def test_resolve_misspelt_name_suggestion() -> None:
    with pytest.raises(ValueError, match=r"did you mean ViT-L-14-336 or ViT-L-14") as refused:
        resolve("ViT-L14-336")
    assert "dinov2_vitg14" not in str(refused.value), "a list of all names hides the one that was meant"


@pytest.mark.parametrize(
    ("name", "meant"),
    [("net", "efficientnet"), ("TEXTURE", "texture"), ("vit-l-14-336", "ViT-L-14-336"), ("qqq", "efficientnet-lite0")],
)
def test_resolve_unknown_name_gets_the_nearest_and_no_long_list(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match=rf"did you mean .*{meant}.*\? docs/backbones.md") as refused:
        resolve(name)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("name", "image_size", "message"),
    [
        (
            "ViT-L-14-336",
            512,
            r"a height that is a multiple of the patch size 14, at least 14, got 512; use 504 or 518",
        ),
        (
            "ViT-B-16",
            (512, 500),
            r"a width that is a multiple of the patch size 16, at least 16, got \(512, 500\); use 496 or 512",
        ),
        ("dinov2_vitb14", 5, r"a multiple of the patch size 14, at least 14, got 5; use 14 or 28"),
        ("ViT-B-32", 0, r"a multiple of the patch size 32, at least 32, got 0; use 32 or 64"),
        ("ViT-B-32", (1, 2, 3), r"image_size must be one number or \(height, width\), got \(1, 2, 3\); give"),
    ],
)
def test_resolve_image_size_refused(name: str, image_size: int | tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve(name, image_size=image_size)


def test_resolve_single_layer_without_brackets_refused() -> None:
    with pytest.raises(ValueError, match=r"layers must be numbers of layers, got 3; write \(3,\) for one"):
        resolve("texture", layers=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], r"layers must name at least one layer, got none; leave"),
        ([5, 24, 30], r"layers must lie in 0 to 23 for a model of 24 layers, got \[24, 30\]; they count from 0"),
        ([-1, 5], r"layers must lie in 0 to 23 .* got \[-1\]"),
        ([11, 5], r"layers must grow strictly, got \(11, 5\); use \(5, 11\)"),
        ([5, 5], r"layers must grow strictly, got \(5, 5\); use \(5,\)"),
    ],
)
@pytest.mark.parametrize("name", ["ViT-L-14", "dinov2_vitl14"])
def test_resolve_layers_refused(name: str, layers: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve(name, layers=layers)


@pytest.mark.parametrize("name", ["ViT-L-14", "dinov2_vitl14"])
def test_resolve_unknown_tag_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"weights must be a file or one of .* for {name}, got 'opennai'; check"):
        resolve(name, weights="opennai")


@pytest.mark.parametrize("name", ["ViT-S-16", "timm:test_vit"])
def test_resolve_model_without_published_weights_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of timm's own ViTs have some; models that users register with timm have none."""
    monkeypatch.setattr("musc.backbones.timm_models.known_tags", lambda _architecture: [])
    with pytest.raises(ValueError, match=rf"weights must be a file for {name}, as no published weights are known"):
        resolve(name)


@pytest.mark.parametrize("name", ["ViT-L-14", "dinov2_vitl14"])
def test_resolve_missing_file_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"weights must be an existing file or a tag, got '.*gone\.safetensors'"
    ):
        resolve(name, weights=tmp_path / "gone.safetensors")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm:vit_base_patch16_siglip_224", r"backbone must have a class token, got"),
        ("timm:eva02_base_patch14_224", r"backbone must norm its tokens before pooling them, got"),
    ],
)
def test_resolve_unsuitable_timm_model_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve(name)


def test_resolve_quick_gelu_of_dino_refused() -> None:
    with pytest.raises(ValueError, match=r"quick_gelu must be left out for dinov2_vitb14, got True; only CLIP"):
        resolve("dinov2_vitb14", quick_gelu=True)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("ViT-B-16", r"open_clip_model\.safetensors from .* timm/vit_base_patch16_clip_224\.openai"),
        ("dinov2_vits14", r"model\.safetensors from .* timm/vit_small_patch14_dinov2\.lvd142m"),
    ],
)
def test_load_without_network_ways_out(name: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from musc.backbones import WeightsUnavailableError

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    message = rf"of {name} must be on this machine or downloadable, got: .*{source}, .*--weights PATH`"
    with pytest.raises(WeightsUnavailableError, match=f"(?s){message}"):
        load(name, device="cpu")


def test_build_unknown_device_refused() -> None:
    with pytest.raises(ValueError, match="device must name a device of this machine, got 'gpu'"):
        build(resolve("ViT-B-16"), device="gpu")


def test_build_spec_of_unknown_model_refused() -> None:
    """A specification made where a configuration was registered that is not registered here."""
    with pytest.raises(ValueError, match="backbone must be a name known here"):
        build(replace(resolve("ViT-B-16"), name="ViT-elsewhere"), device="cpu")


def test_resolve_texture_imports_no_model_library() -> None:
    code = (
        "import sys; from musc.backbones import resolve; resolve('texture'); "
        "sys.exit(', '.join({'open_clip', 'timm', 'torchvision'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
