"""Scores at all degrees together, by one product or one for each, against float64 loops."""

import numpy as np
import pytest
import torch

from musc import mutual
from musc.lnamd import MIN_SUM, aggregate, pool
from musc.mutual import block_scores, degree_scores, mutual_scores
from musc.plan import pooling
from tests.musc.kernels.oracle import nearest_similarities, pooled_vectors

N, WIDTH, DEGREES, INTERVAL = 6, 11, (1, 3, 5, 7), (0.0, 0.5)
HIGH = 2
"""Of the five others, half are averaged."""


def seeded_tokens(grid: tuple[int, int]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(N, grid[0] * grid[1], WIDTH, generator=generator) * 3 + 2


def looped_scores(
    tokens: torch.Tensor, grid: tuple[int, int], degree: int, match_radius: int | None, excluded: np.ndarray
) -> np.ndarray:
    """(N, P) in float64; an image in which nothing may be matched is at distance 2."""
    images = [pooled_vectors(image, grid, degree) for image in tokens.numpy()]
    scores = np.zeros((N, len(images[0])))
    for query, vectors in enumerate(images):
        similarities = [
            nearest_similarities(vectors, images[other], grid, excluded[other], match_radius)
            for other in range(N)
            if other != query
        ]
        distances = np.sqrt(np.maximum(0, 2 - 2 * np.maximum(similarities, -1)))
        scores[query] = np.sort(distances, axis=0)[:HIGH].mean(axis=0)
    return scores


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("match_radius", [None, 1])
@pytest.mark.parametrize("grid", [(5, 5), (3, 7), (7, 2), (1, 6)])
def test_degree_scores_oracle(grid: tuple[int, int], match_radius: int | None, pooled: bool) -> None:
    tokens = seeded_tokens(grid)
    ours = degree_scores(tokens, grid, DEGREES, INTERVAL, match_radius=match_radius, pooling=pooled)
    assert list(ours) == list(DEGREES)
    nothing = np.zeros((N, grid[0] * grid[1]), dtype=bool)
    for degree, scores in ours.items():
        expected = looped_scores(tokens, grid, degree, match_radius, nothing)
        np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_block_scores_of_pooled_tokens_with_exclusion_oracle() -> None:
    grid = (4, 5)
    tokens, excluded = seeded_tokens(grid), np.random.default_rng(2).random((N, 20)) < 0.4
    excluded[3] = True
    features = pool(tokens, grid, DEGREES)
    parts = [
        block_scores(
            features[start:stop],
            start,
            [(first, features[first : first + 1]) for first in range(N) if not start <= first < stop],
            N,
            INTERVAL,
            torch.from_numpy(excluded),
        )
        for start, stop in ((0, 2), (2, 6))
    ]
    for found, degree in zip(torch.cat(parts, dim=1), DEGREES, strict=True):
        np.testing.assert_allclose(found, looped_scores(tokens, grid, degree, None, excluded), atol=1e-5)


def test_degree_scores_of_a_sample_are_those_of_a_product_for_each_degree() -> None:
    tokens, sample = seeded_tokens((4, 3)), (4, 0, 2)
    ours, expected = (
        degree_scores(tokens, (4, 3), (3, 1), INTERVAL, sample=sample, pooling=way) for way in (True, False)
    )
    assert list(ours) == [3, 1]
    for degree in ours:
        torch.testing.assert_close(ours[degree], expected[degree], atol=1e-5, rtol=0)


@pytest.mark.parametrize("free", [False, True])
def test_degree_scores_choose_by_counted_operations(monkeypatch: pytest.MonkeyPatch, free: bool) -> None:
    prepared = []
    monkeypatch.setattr(pooling, "SETUP_OPERATIONS", 0 if free else float("inf"))
    monkeypatch.setattr(mutual, "pool", lambda *given: prepared.append(given) or pool(*given))
    degree_scores(torch.randn(3, 4, 2048), (2, 2), (1, 3))
    assert len(prepared) == free


def test_pooled_tokens_refuse_a_radius_below_zero() -> None:
    with pytest.raises(ValueError, match="got -1"):
        mutual_scores(pool(seeded_tokens((2, 3)), (2, 3), (1, 3)), match_radius=-1)


def test_pool_scales_sums_to_what_aggregate_gives() -> None:
    tokens = seeded_tokens((4, 5))
    features = pool(tokens, (4, 5), (5, 1))
    assert features.degrees == (1, 5)
    torch.testing.assert_close(features.tokens * features.scales[:, 0, :, None], aggregate(tokens, (4, 5), 1))
    middle = 2 * 5 + 2  # whose neighbourhood of degree 5 holds all columns and all four rows
    total = features.tokens.sum(dim=1) * features.scales[:, 1, middle, None]
    torch.testing.assert_close(total, aggregate(tokens, (4, 5), 5)[:, middle])


def test_pool_takes_sums_that_cancel_for_zero() -> None:
    row = torch.randn(1, 8, generator=torch.Generator().manual_seed(3))
    tokens = torch.cat([row, -row])[None]  # degree 3 reaches both patches, and their sum is zero but for rounding
    features = pool(tokens, (1, 2), (1, 3))
    assert bool((features.scales[:, 0] > 0).all())
    assert not features.scales[:, 1].any()
    nearly = torch.cat([row, -row * (1 - 20 * MIN_SUM)])[None]
    assert bool((pool(nearly, (1, 2), (1, 3)).scales > 0).all())
