"""Patches that no query may match, against plain loops in float64."""

from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import musc.kernels.matrix_products
from musc.mutual import block_scores, mutual_scores

IMAGES, PATCHES, WIDTH = 11, 5, 7
INTERVAL = (0.1, 0.5)
LOW, HIGH = 1, 5


@pytest.fixture
def features() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return F.normalize(torch.randn(IMAGES, PATCHES, WIDTH, generator=generator), dim=2)


@pytest.fixture
def excluded() -> torch.Tensor:
    mask = torch.rand(IMAGES, PATCHES, generator=torch.Generator().manual_seed(2)) < 0.4
    mask[3] = False
    mask[7] = True
    return mask


def looped_scores(features: torch.Tensor, excluded: torch.Tensor) -> np.ndarray:
    """(N, P); an image without a patch to match lies at the largest distance."""
    values = features.numpy().astype(np.float64)
    scores = np.zeros(values.shape[:2])
    for query, patch in np.ndindex(*scores.shape):
        nearest = []
        for other in range(len(values)):
            allowed = [one for one, out in zip(values[other], excluded[other], strict=True) if not out]
            gaps = [np.sqrt(((values[query, patch] - one) ** 2).sum()) for one in allowed]
            nearest += [min(gaps, default=2.0)] if other != query else []
        scores[query, patch] = np.mean(sorted(nearest)[LOW:HIGH])
    return scores


@pytest.mark.parametrize("columns", [1, 2 * PATCHES, 10_000])
def test_excluded_patches_oracle(
    features: torch.Tensor, excluded: torch.Tensor, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(musc.kernels.matrix_products, "PRODUCT_COLUMNS", columns)
    scores = block_scores(features, 0, (), IMAGES, INTERVAL, excluded)
    np.testing.assert_allclose(scores, looped_scores(features, excluded), atol=1e-5)
    assert not torch.allclose(scores, mutual_scores(features, INTERVAL), atol=1e-2)


@pytest.mark.parametrize("bounds", [(0, 4, 11), (0, 1, 5, 8, 11)])
def test_excluded_patches_any_division_gives_the_same_scores(
    features: torch.Tensor, excluded: torch.Tensor, bounds: tuple[int, ...]
) -> None:
    parts = []
    for start, stop in pairwise(bounds):
        outside = [(first, features[first : first + 1]) for first in range(IMAGES) if not start <= first < stop]
        parts.append(block_scores(features[start:stop], start, outside, IMAGES, INTERVAL, excluded))
    np.testing.assert_allclose(torch.cat(parts), looped_scores(features, excluded), atol=1e-5)


def test_excluded_nothing_changes_nothing(features: torch.Tensor) -> None:
    nothing = torch.zeros(IMAGES, PATCHES, dtype=torch.bool)
    assert torch.equal(block_scores(features, 0, (), IMAGES, INTERVAL, nothing), mutual_scores(features, INTERVAL))


def test_excluded_copies_of_a_flaw_no_longer_vouch_for_each_other(features: torch.Tensor) -> None:
    flawed = features.clone()
    flawed[:4, 0] = F.normalize(-features.mean(dim=(0, 1)), dim=0)
    flaw = torch.zeros(IMAGES, PATCHES, dtype=torch.bool)
    flaw[:4, 0] = True
    before = mutual_scores(flawed)[:4, 0]
    after = block_scores(flawed, 0, (), IMAGES, (0.0, 0.3), flaw)[:4, 0]
    assert before.max() < 0.01
    assert after.min() > 0.3


@pytest.mark.parametrize(
    "mask",
    [torch.zeros(IMAGES, PATCHES), torch.zeros(IMAGES - 1, PATCHES, dtype=torch.bool)],
    ids=["numbers", "too_few_images"],
)
def test_excluded_of_another_shape_is_refused(features: torch.Tensor, mask: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"excluded must be a bool mask of shape \(11, 5\), .* got torch\."):
        block_scores(features, 0, (), IMAGES, INTERVAL, mask)
