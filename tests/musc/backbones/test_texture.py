"""The built-in backbone: what its name resolves to, what its filters answer, and that it finds planted defects."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

from musc.backbones.backbone import Backbone, Features
from musc.backbones.feature_options import BackboneOptions
from musc.backbones.texture import network
from musc.backbones.texture import spec as texture
from musc.backbones.texture.filters import (
    ORIENTATION_COUNT,
    RADIUS,
    apply_filters,
    halve,
    make_filter_bank,
    reflect_positions,
)
from musc.layers import Layer
from musc.lnamd import aggregate
from musc.maps import anomaly_maps, image_scores
from musc.mutual import mutual_scores
from musc.rscin import rescore
from storage.datasets.synthetic.defects import KINDS
from storage.datasets.synthetic.lot import draw_part

MEAN_LUMA = ORIENTATION_COUNT + 2
"""Position of the mean luma among the channels."""

FIRST_MAXIMUM = MEAN_LUMA + 3

Size = tuple[int, int]


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """Two random pictures of 48 × 80 pixels, smooth enough to have contrast at every scale."""
    generator = torch.Generator().manual_seed(7)
    coarse = torch.rand((2, 3, 12, 20), generator=generator)
    fine = torch.rand((2, 3, 48, 80), generator=generator)
    return 0.6 * torch.nn.functional.interpolate(coarse, size=(48, 80), mode="bilinear") + 0.2 * fine + 0.1


def make_backbone(image_size: int | Size | None = None, layers: tuple[int, ...] | None = None) -> Backbone:
    return network.build(
        texture.resolve("texture", BackboneOptions(image_size=image_size, layers=layers)), torch.device("cpu")
    )


def describe(pictures: torch.Tensor, layers: tuple[int, ...] | None = None) -> Features:
    height, width = pictures.shape[-2:]
    return make_backbone((height, width), layers).forward(pictures)


def on_grid(tokens: torch.Tensor) -> torch.Tensor:
    """Tokens of 48 × 80 pictures as (N, 6, 10, C)."""
    return tokens.unflatten(1, (6, 10))


@pytest.mark.parametrize(("name", "accepted"), [("texture", True), ("Texture", False), ("ViT-L-14-336", False)])
def test_texture_accepts_its_own_name_only(name: str, accepted: bool) -> None:
    assert texture.accepts(name) is accepted


def test_texture_spec_has_defaults() -> None:
    spec = texture.resolve("texture", BackboneOptions())
    assert (spec.name, spec.weights, spec.weights_digest) == ("texture", "built-in", "built-in:texture-1")
    assert (spec.image_size, spec.grid) == ((256, 256), (32, 32))
    assert spec.layers == tuple(Layer(number, (32, 32), texture.TOKEN_WIDTH) for number in range(4))


@pytest.mark.parametrize(
    ("image_size", "expected", "grid"), [(64, (64, 64), (8, 8)), ((48, 80), (48, 80), (6, 10)), (8, (8, 8), (1, 1))]
)
def test_texture_spec_takes_one_side_or_two(image_size: int | Size, expected: Size, grid: Size) -> None:
    spec = texture.resolve("texture", BackboneOptions(image_size=image_size))
    assert (spec.image_size, spec.grid) == (expected, grid)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "openai"}, "weights must be None for the backbone texture, got 'openai'; it has none"),
        ({"quick_gelu": False}, "quick_gelu must be None for the backbone texture, got False; leave it out"),
        ({"position_antialias": True}, "position_antialias must be False for the backbone texture, got True"),
        ({"image_size": 250}, "a multiple of the patch size 8, at least 8, got 250; use 248 or 256"),
        ({"image_size": (256, 5)}, r"a width that is a multiple .* 8, at least 8, got \(256, 5\); use 8 or 16"),
        ({"image_size": -8}, "a multiple of the patch size 8, at least 8, got -8; use 8 or 16"),
        ({"layers": ()}, "layers must name at least one layer, got none; leave it out"),
        ({"layers": (3, 2, 0)}, r"layers must grow strictly, got \(3, 2, 0\); use \(0, 2, 3\)"),
        (
            {"layers": (-1, 2, 5)},
            r"layers must lie in 0 to 3 for a model of 4 layers, got \[-1, 5\]; they count from 0",
        ),
    ],
)
def test_texture_refuses(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        texture.resolve("texture", BackboneOptions(**arguments))  # type: ignore[arg-type]


def test_texture_refuses_another_name() -> None:
    with pytest.raises(ValueError, match="name must be 'texture' for the built-in backbone, got 'ViT-B-16'"):
        texture.resolve("ViT-B-16", BackboneOptions())


def test_texture_refuses_features_of_another_release() -> None:
    spec = dataclasses.replace(texture.resolve("texture", BackboneOptions()), weights_digest="built-in:texture-0")
    with pytest.raises(ValueError, match="weights_digest must be 'built-in:texture-1' in this release, got 'built-in"):
        network.build(spec, torch.device("cpu"))


@pytest.mark.parametrize("image_size", [(64, 64), (48, 80), (8, 24)])
def test_texture_features_have_the_promised_shapes(image_size: Size) -> None:
    backbone = make_backbone(image_size)
    features = backbone.extract([Image.new("L", (31, 57), level) for level in (20, 120, 220)])
    spec = backbone.spec
    rows, columns = image_size[0] // 8, image_size[1] // 8
    assert [tokens.shape for tokens in features.patch_tokens] == [(3, rows * columns, texture.TOKEN_WIDTH)] * 4
    assert {(layer.grid, layer.width) for layer in spec.layers} == {((rows, columns), texture.TOKEN_WIDTH)}
    assert features.class_tokens.shape == (3, spec.embedding_width)
    assert {tensor.dtype for tensor in (*features.patch_tokens, features.class_tokens)} == {torch.float32}


@pytest.mark.slow
def test_texture_features_are_the_same_every_time(pictures: torch.Tensor) -> None:
    first, second = describe(pictures), describe(pictures)
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_texture_features_do_not_depend_on_the_batch(pictures: torch.Tensor) -> None:
    together, alone = describe(pictures), describe(pictures[1:])
    second = Features([layer[1:] for layer in together.patch_tokens], together.class_tokens[1:])
    torch.testing.assert_close(second, alone, rtol=0, atol=0)


def test_texture_layers_are_those_asked_for(pictures: torch.Tensor) -> None:
    every, some = describe(pictures), describe(pictures, layers=(0, 2))
    torch.testing.assert_close(some.patch_tokens, [every.patch_tokens[0], every.patch_tokens[2]])


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_texture_features_of_a_blank_image_are_finite(level: float) -> None:
    features = describe(torch.full((1, 3, 32, 32), level))
    assert all(bool(torch.isfinite(tokens).all()) for tokens in features.patch_tokens)
    torch.testing.assert_close(features.class_tokens.norm(dim=1), torch.ones(1))


def test_texture_class_tokens_are_unit_and_never_negative(pictures: torch.Tensor) -> None:
    class_tokens = describe(pictures).class_tokens
    torch.testing.assert_close(class_tokens.norm(dim=1), torch.ones(2))
    assert bool((class_tokens >= 0).all())


def test_texture_brightness_moves_the_mean_luma_only(pictures: torch.Tensor) -> None:
    for dark, light in zip(describe(pictures).patch_tokens, describe(pictures + 0.1).patch_tokens, strict=True):
        expected = dark.clone()
        expected[..., MEAN_LUMA] += 0.1 * network.MEAN_WEIGHTS[0]
        torch.testing.assert_close(light, expected, rtol=0, atol=1e-3)


def test_texture_of_a_mirrored_image_is_mirrored(pictures: torch.Tensor) -> None:
    mirrored_orientations = [-k % ORIENTATION_COUNT for k in range(ORIENTATION_COUNT)]
    channels = list(range(texture.TOKEN_WIDTH))
    channels[:ORIENTATION_COUNT] = mirrored_orientations
    channels[FIRST_MAXIMUM : FIRST_MAXIMUM + ORIENTATION_COUNT] = [FIRST_MAXIMUM + k for k in mirrored_orientations]
    seen, in_mirror = describe(pictures), describe(pictures.flip(-1))
    for layer, mirrored in zip(seen.patch_tokens, in_mirror.patch_tokens, strict=True):
        torch.testing.assert_close(on_grid(mirrored), on_grid(layer).flip(2)[..., channels], rtol=0, atol=1e-4)


def test_texture_of_a_moved_image_moves_along(pictures: torch.Tensor) -> None:
    moved = pictures.roll((8, -16), dims=(-2, -1))
    for layer, after in zip(describe(pictures, (0, 1)).patch_tokens, describe(moved, (0, 1)).patch_tokens, strict=True):
        expected = on_grid(layer).roll((1, -2), dims=(1, 2))
        # Two patches from the border and from the seam of the roll, no filter reaches across.
        torch.testing.assert_close(on_grid(after)[:, 3:-2, 2:-4], expected[:, 3:-2, 2:-4], rtol=0, atol=1e-4)


@pytest.mark.parametrize("orientation", range(ORIENTATION_COUNT))
def test_texture_sees_the_orientation_of_a_grating(orientation: int) -> None:
    angle = math.pi * orientation / ORIENTATION_COUNT
    down, right = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    wave = torch.cos(2 * math.pi / 5 * (right * math.cos(angle) + down * math.sin(angle)))
    tokens = describe((0.5 + 0.2 * wave).expand(1, 3, 64, 64)).patch_tokens[0]
    assert tokens[..., :ORIENTATION_COUNT].mean(dim=1).argmax().item() == orientation


def test_texture_sees_colour_that_luma_hides() -> None:
    picture = torch.full((1, 3, 64, 64), 0.5)
    picture[:, 0, 24:40, 24:40] += 0.2
    picture[:, 1, 24:40, 24:40] -= 0.2 * 0.299 / 0.587
    tokens = describe(picture).patch_tokens[0]
    changed = (tokens - tokens[:, :1]).abs().amax(dim=(0, 1)) > 0.05
    red_green_mean, red_green_bright, red_green_dark = MEAN_LUMA + 1, FIRST_MAXIMUM + 7, FIRST_MAXIMUM + 10
    assert changed[[red_green_mean, red_green_bright, red_green_dark]].all()
    assert not changed[:ORIENTATION_COUNT].any()


def test_filter_bank_is_balanced() -> None:
    bank = make_filter_bank()
    for filters in (bank.even, bank.odd, bank.spot):
        torch.testing.assert_close(filters.sum(dim=(1, 2, 3)), torch.zeros(len(filters)))
        torch.testing.assert_close(filters.abs().sum(dim=(1, 2, 3)), torch.ones(len(filters)))
    torch.testing.assert_close(bank.smooth.sum(), torch.tensor(1.0))


def test_apply_filters_matches_plain_loops() -> None:
    pictures = torch.rand((2, 2, 3, 7), generator=torch.Generator().manual_seed(1))
    filters = torch.cat([make_filter_bank().odd, make_filter_bank().spot])
    padding = ((0, 0), (0, 0), (RADIUS, RADIUS), (RADIUS, RADIUS))
    padded = np.pad(pictures.double().numpy(), padding, mode="reflect")
    side = 2 * RADIUS + 1
    expected = np.empty((2, 2, len(filters), 3, 7))
    for image, channel, chosen, row, column in np.ndindex(expected.shape):
        window = padded[image, channel, row : row + side, column : column + side]
        expected[image, channel, chosen, row, column] = (window * filters[chosen, 0].double().numpy()).sum()
    np.testing.assert_allclose(apply_filters(pictures, filters), expected, rtol=0, atol=1e-6)


def test_halve_matches_plain_loops() -> None:
    pictures = torch.rand((1, 2, 4, 6), generator=torch.Generator().manual_seed(2))
    padded = np.pad(pictures.double().numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    taps = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    expected = np.empty((1, 2, 2, 3))
    for image, channel, row, column in np.ndindex(expected.shape):
        expected[image, channel, row, column] = (
            padded[image, channel, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] * taps
        ).sum()
    np.testing.assert_allclose(halve(pictures), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("length", "margin"), [(8, 4), (4, 4), (3, 4), (2, 4), (1, 4), (5, 1)])
def test_reflect_positions_match_numpy(length: int, margin: int) -> None:
    np.testing.assert_array_equal(reflect_positions(length, margin), np.pad(np.arange(length), margin, mode="reflect"))


@pytest.fixture(scope="module")
def planted_lot() -> tuple[Features, np.ndarray]:
    """Nine good and five defective drawn parts: their features at two scales, and masks (14, 256, 256)."""
    drawn = [draw_part("cast", seed=11, number=number) for number in range(9)]
    drawn += [draw_part("cast", kind, seed=11) for kind in KINDS]
    features = make_backbone(layers=(0, 1)).extract([Image.fromarray(picture) for picture, _ in drawn])
    return features, np.stack([mask for _, mask in drawn])


@pytest.fixture(scope="module")
def planted_maps(planted_lot: tuple[Features, np.ndarray]) -> torch.Tensor:
    """Anomaly maps (14, 256, 256) of the planted lot, at one degree to be quick."""
    scores = [mutual_scores(aggregate(tokens, (32, 32), 1)) for tokens in planted_lot[0].patch_tokens]
    return anomaly_maps(torch.stack(scores).mean(dim=0), (32, 32), (256, 256))


def test_texture_finds_where_defects_were_planted(
    planted_lot: tuple[Features, np.ndarray], planted_maps: torch.Tensor
) -> None:
    assert roc_auc_score(planted_lot[1].ravel(), planted_maps.numpy().ravel()) > 0.97


def test_texture_finds_the_defective_images(
    planted_lot: tuple[Features, np.ndarray], planted_maps: torch.Tensor
) -> None:
    labels = planted_lot[1].any(axis=(1, 2))
    assert roc_auc_score(labels, image_scores(planted_maps).numpy()) > 0.97


def test_texture_class_tokens_keep_the_ranking_when_rescored(
    planted_lot: tuple[Features, np.ndarray], planted_maps: torch.Tensor
) -> None:
    features, masks = planted_lot
    rescored = rescore(image_scores(planted_maps), features.class_tokens)
    assert roc_auc_score(masks.any(axis=(1, 2)), np.asarray(rescored)) > 0.95
