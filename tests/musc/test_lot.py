"""The whole method in memory, with the built-in backbone."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import musc
from musc import backbones, mutual
from musc.backbones.backbone import Features
from musc.layers import Layer
from musc.lnamd import aggregate
from musc.lot import pixel_digest, score_images
from musc.maps import anomaly_maps, image_scores
from musc.mutual import mutual_scores
from musc.plan.sample import draw_sample
from musc.rscin import rescore

SIZE = (24, 40)
BLEMISHED = 3


@pytest.fixture(scope="module")
def parts() -> list[Image.Image]:
    """Seven noisy grey parts of one look, one of them with a bright square."""
    random = np.random.default_rng(11)
    pixels = 120 + 20 * np.sin(np.arange(50) / 2) + random.normal(0, 2, size=(7, 30, 50))
    pixels[BLEMISHED, 10:20, 20:32] = 250
    return [Image.fromarray(part.round().clip(0, 255).astype(np.uint8)) for part in pixels]


@pytest.fixture(scope="module")
def texture() -> backbones.Backbone:
    return backbones.load("texture", image_size=SIZE, device="cpu")


@pytest.fixture(scope="module")
def scored(parts: list[Image.Image]) -> musc.LotScores:
    return score_images(parts, "texture", image_size=SIZE, device="cpu")


def test_score_images_equals_the_composed_stages(
    parts: list[Image.Image], texture: backbones.Backbone, scored: musc.LotScores
) -> None:
    grid, features = texture.spec.grid, texture.extract(parts)
    by_degree = [
        torch.stack([mutual_scores(aggregate(tokens, grid, degree)) for tokens in features.patch_tokens]).mean(dim=0)
        for degree in (1, 3, 5)
    ]
    patch_scores = torch.stack(by_degree).mean(dim=0)
    maps = anomaly_maps(patch_scores, grid, SIZE)
    torch.testing.assert_close(scored.patch_scores, patch_scores)
    torch.testing.assert_close(scored.anomaly_maps, maps)
    torch.testing.assert_close(scored.raw_image_scores, image_scores(maps))
    torch.testing.assert_close(scored.image_scores, rescore(image_scores(maps), features.class_tokens))


def test_score_images_of_layers_on_their_own_grids_are_averaged_on_the_finest(
    parts: list[Image.Image], texture: backbones.Backbone
) -> None:
    layers = (Layer(0, (6, 10), 7), Layer(1, (3, 5), 11))
    generator = torch.Generator().manual_seed(8)
    tokens = [torch.randn(len(parts), layer.patch_count, layer.width, generator=generator) for layer in layers]
    features = Features(tokens, torch.nn.functional.normalize(torch.rand(len(parts), 4, generator=generator)))
    spec = replace(texture.spec, layers=layers)
    uneven = backbones.Backbone(spec, torch.device("cpu"), lambda _: torch.zeros(1), lambda _: features)
    ours = score_images(parts, uneven, batch_size=len(parts), degrees=(1, 3), match_radius=3)
    expected = torch.zeros(len(parts), 60)
    for layer, own, match_radius in zip(layers, tokens, (3, 2), strict=True):
        for degree in (1, 3):
            scores = mutual_scores(aggregate(own, layer.grid, degree), match_radius=match_radius, grid=layer.grid)
            expected += anomaly_maps(scores, layer.grid, (6, 10)).flatten(1) / 4
    torch.testing.assert_close(ours.patch_scores, expected)
    torch.testing.assert_close(ours.anomaly_maps, anomaly_maps(expected, (6, 10), SIZE))


def test_score_images_shapes_are_not_square(scored: musc.LotScores) -> None:
    assert scored.patch_scores.shape == (7, 3 * 5)
    assert scored.anomaly_maps.shape == (7, *SIZE)
    assert scored.image_scores.shape == scored.raw_image_scores.shape == (7,)


def test_score_images_finds_the_blemish(scored: musc.LotScores) -> None:
    assert scored.raw_image_scores.argmax() == BLEMISHED
    row, column = divmod(int(scored.anomaly_maps[BLEMISHED].argmax()), SIZE[1])
    # The square covers rows 8 to 16 and columns 16 to 25 of the resized image; a patch has 8 pixels.
    assert 0 <= row <= 23
    assert 8 <= column <= 33


def test_score_images_loaded_backbone_gives_the_same(
    parts: list[Image.Image], texture: backbones.Backbone, scored: musc.LotScores
) -> None:
    again = score_images(parts, texture, batch_size=3)
    torch.testing.assert_close(again.anomaly_maps, scored.anomaly_maps)
    torch.testing.assert_close(again.image_scores, scored.image_scores)


def test_score_images_settings_reach_their_stages(parts: list[Image.Image], texture: backbones.Backbone) -> None:
    ours = score_images(parts, texture, degrees=(3,), interval=(0.0, 1.0), rscin_windows=(1,))
    features = texture.extract(parts)
    layers = [mutual_scores(aggregate(tokens, texture.spec.grid, 3), (0.0, 1.0)) for tokens in features.patch_tokens]
    torch.testing.assert_close(ours.patch_scores, torch.stack(layers).mean(dim=0))
    torch.testing.assert_close(ours.image_scores, rescore(ours.raw_image_scores, features.class_tokens, (1,)))


@pytest.mark.parametrize("seed", [0, 1])
def test_score_images_window_and_sample_reach_mutual_scoring(
    parts: list[Image.Image], texture: backbones.Backbone, seed: int
) -> None:
    ours = score_images(parts, texture, degrees=(1,), references=2, seed=seed, match_radius=1)
    grid, features = texture.spec.grid, texture.extract(parts)
    sample = draw_sample([pixel_digest(part) for part in parts], 2, seed)
    layers = [
        mutual_scores(aggregate(tokens, grid, 1), sample=sample, match_radius=1, grid=grid)
        for tokens in features.patch_tokens
    ]
    torch.testing.assert_close(ours.patch_scores, torch.stack(layers).mean(dim=0))


def test_score_images_sees_16_bits_as_the_same_8_bits(
    parts: list[Image.Image], texture: backbones.Backbone, scored: musc.LotScores
) -> None:
    deep = [Image.fromarray(np.asarray(part).astype(np.uint16) * 257) for part in parts]
    torch.testing.assert_close(score_images(deep, texture).anomaly_maps, scored.anomaly_maps)


def test_score_images_sees_images_upright(
    parts: list[Image.Image], texture: backbones.Backbone, scored: musc.LotScores
) -> None:
    turned = [part.transpose(Image.Transpose.ROTATE_90) for part in parts]
    for part in turned:
        part.getexif()[0x0112] = 6  # to be seen turned back
    torch.testing.assert_close(score_images(turned, texture).anomaly_maps, scored.anomaly_maps)


def test_score_images_works_for_a_pair(parts: list[Image.Image], texture: backbones.Backbone) -> None:
    scores = score_images(parts[:2], texture).image_scores
    assert bool(torch.isfinite(scores).all())


@pytest.mark.parametrize("image_count", [0, 1])
def test_score_images_refuses_lone_image(
    parts: list[Image.Image], texture: backbones.Backbone, image_count: int
) -> None:
    with pytest.raises(ValueError, match=f"images must hold at least 2 images .* got {image_count}"):
        score_images(parts[:image_count], texture)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_score_images_refuses_empty_batch(
    parts: list[Image.Image], texture: backbones.Backbone, batch_size: int
) -> None:
    with pytest.raises(ValueError, match=f"batch_size must be at least 1 image, got {batch_size}; leave it out"):
        score_images(parts, texture, batch_size=batch_size)


def test_score_images_refuses_unknown_setting(parts: list[Image.Image], texture: backbones.Backbone) -> None:
    with pytest.raises(ValueError, match="degree_list is none of the Settings; there are backbone, weights"):
        score_images(parts, texture, degree_list=(1, 3))


def test_score_images_refuses_bad_setting_before_any_work(parts: list[Image.Image]) -> None:
    with pytest.raises(ValueError, match="degree must be a positive odd number of patches, got 2"):
        score_images(parts, "no-such-backbone", degrees=(2,))


def test_score_images_refuses_settings_a_loaded_backbone_has_decided(
    parts: list[Image.Image], texture: backbones.Backbone
) -> None:
    with pytest.raises(ValueError, match=r"settings of a loaded backbone must .* got image_size, layers;"):
        score_images(parts, texture, layers=(0,), image_size=64, degrees=(1,))


def test_score_images_refuses_another_device_for_a_loaded_backbone(
    parts: list[Image.Image], texture: backbones.Backbone
) -> None:
    with pytest.raises(
        ValueError, match=r"settings of a loaded backbone must .* got device, layers; pass them to musc"
    ):
        score_images(parts, texture, device="cpu", layers=(0,))


def test_score_images_compares_on_the_backbones_device(
    parts: list[Image.Image], texture: backbones.Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second device is at hand: tokens are followed to one that holds no numbers, up to mutual scoring."""

    class Elsewhere(backbones.Backbone):
        def extract(self, images: Sequence[Image.Image], batch_size: int = 8) -> backbones.Features:
            return texture.extract(images, batch_size)

    compared: list[torch.device] = []

    def scores_of(features: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        compared.append(features.device)
        return torch.rand(features.shape[:2], generator=torch.Generator().manual_seed(len(compared)))

    monkeypatch.setattr(mutual, "mutual_scores", scores_of)
    meta = Elsewhere(texture.spec, torch.device("meta"), texture.preprocess, texture.forward)
    scored = score_images(parts, meta)
    assert compared == [torch.device("meta")] * 12  # four layers, three degrees
    assert scored.image_scores.device == scored.patch_scores.device == torch.device("cpu")


def test_package_import_is_light() -> None:
    code = "import sys, musc; print(*sorted({'torch', 'prefect', 'numpy', 'PIL'} & sys.modules.keys()))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_package_offers_its_public_names() -> None:
    assert musc.score_images is score_images
    assert {name for name in musc.__all__ if getattr(musc, name)} == {"LotScores", "Settings", "score_images"}


def test_package_refuses_other_names() -> None:
    with pytest.raises(AttributeError, match="module 'musc' has no attribute 'scores'"):
        _ = musc.scores
