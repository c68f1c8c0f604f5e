"""Matching within a match_radius, against plain loops in float64 and the laws it obeys."""

from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from musc import grids
from musc.grids import row_bands
from musc.layers import Grid
from musc.mutual import block_scores, mutual_scores
from musc.plan.shard_memory import pair_products

N, WIDTH = 8, 6
INTERVAL = (0.0, 0.5)
HIGH = 3


def unit_rows(grid: Grid, image_count: int = N) -> torch.Tensor:
    generator = torch.Generator().manual_seed(grid[0])
    return F.normalize(torch.randn(image_count, grid[0] * grid[1], WIDTH, generator=generator), dim=2)


def looped_scores(
    features: torch.Tensor, grid: Grid, match_radius: int, excluded: torch.Tensor | None = None
) -> np.ndarray:
    """(N, P): a match lies at most `window` rows and columns away; where none is left the distance is 2."""
    values = features.numpy().astype(np.float64)
    places = [(row, column) for row in range(grid[0]) for column in range(grid[1])]
    scores = np.zeros(values.shape[:2])
    for query, patch in np.ndindex(*scores.shape):
        nearest = []
        for other in range(len(values)):
            gaps = [2.0]
            for candidate, (row, column) in enumerate(places):
                near = max(abs(row - places[patch][0]), abs(column - places[patch][1])) <= match_radius
                if near and not (excluded is not None and excluded[other, candidate]):
                    gaps.append(np.sqrt(((values[query, patch] - values[other, candidate]) ** 2).sum()))
            nearest += [min(gaps)] if other != query else []
        scores[query, patch] = np.mean(sorted(nearest)[:HIGH])
    return scores


@pytest.fixture(params=["whole", "one_row", "three_rows"])
def banded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The grid multiplied whole and masked, or in bands of one row or of three."""
    if request.param != "whole":
        monkeypatch.setattr(grids, "BANDED_PATCHES", 0)
        monkeypatch.setattr(grids, "BAND_PATCHES", 1 if request.param == "one_row" else 11)
    return str(request.param)


@pytest.mark.usefixtures("banded")
@pytest.mark.parametrize(("grid", "match_radius"), [((5, 4), 0), ((5, 4), 1), ((4, 5), 2), ((7, 2), 3), ((1, 9), 2)])
def test_window_oracle(grid: Grid, match_radius: int) -> None:
    features = unit_rows(grid)
    ours = mutual_scores(features, INTERVAL, match_radius=match_radius, grid=grid)
    np.testing.assert_allclose(ours, looped_scores(features, grid, match_radius), atol=1e-5)


@pytest.mark.usefixtures("banded")
def test_window_with_excluded_patches_oracle() -> None:
    grid = (5, 4)
    features = unit_rows(grid)
    excluded = torch.rand(N, 20, generator=torch.Generator().manual_seed(3)) < 0.5
    ours = block_scores(features, 0, (), N, INTERVAL, excluded, match_radius=1, grid=grid)
    np.testing.assert_allclose(ours, looped_scores(features, grid, 1, excluded), atol=1e-5)


@pytest.mark.usefixtures("banded")
def test_window_any_division_gives_the_same_scores() -> None:
    grid = (5, 4)
    features = unit_rows(grid)
    parts = []
    for start, stop in pairwise((0, 3, 4, N)):
        outside = [(first, features[first : first + 1]) for first in range(N) if not start <= first < stop]
        parts.append(block_scores(features[start:stop], start, outside, N, INTERVAL, match_radius=1, grid=grid))
    whole = mutual_scores(features, INTERVAL, match_radius=1, grid=grid)
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-6, rtol=0)


def test_window_permuted_lot_permutes_scores() -> None:
    features, order = unit_rows((5, 4)), torch.randperm(N, generator=torch.Generator().manual_seed(4))
    scores = mutual_scores(features, INTERVAL, match_radius=1, grid=(5, 4))
    permuted = mutual_scores(features[order], INTERVAL, match_radius=1, grid=(5, 4))
    torch.testing.assert_close(permuted, scores[order], atol=1e-6, rtol=0)


@pytest.mark.parametrize("match_radius", [4, 5, 100])
def test_window_over_the_whole_grid_is_the_full_method(match_radius: int) -> None:
    features = unit_rows((5, 4))
    assert torch.equal(mutual_scores(features, match_radius=match_radius, grid=(5, 4)), mutual_scores(features))


def test_window_wider_never_raises_a_score() -> None:
    features = unit_rows((6, 6))
    scores = [mutual_scores(features, match_radius=match_radius, grid=(6, 6)) for match_radius in range(6)]
    assert all(bool((wide <= narrow + 1e-6).all()) for narrow, wide in pairwise(scores))


@pytest.mark.parametrize("grid", [None, (4, 4)])
def test_window_refuses_a_grid_of_other_patches(grid: Grid | None) -> None:
    with pytest.raises(ValueError, match=r"grid must give the rows and columns of 20 patches .* got"):
        mutual_scores(unit_rows((5, 4)), match_radius=1, grid=grid)


def test_window_refuses_negative() -> None:
    with pytest.raises(ValueError, match="match_radius must be at least 0 patches, got -1"):
        mutual_scores(unit_rows((5, 4)), match_radius=-1, grid=(5, 4))


@pytest.mark.parametrize(("grid", "match_radius"), [((37, 37), 4), ((41, 23), 0), ((23, 29), 40), ((3, 200), 1)])
def test_row_bands_reach_every_patch_of_the_window(grid: Grid, match_radius: int) -> None:
    bands = row_bands(grid, match_radius)
    assert [row for start, stop, _, _ in bands for row in range(start, stop)] == list(range(grid[0]))
    for start, stop, low, high in bands:
        assert low == max(0, start - match_radius)
        assert high == min(grid[0], stop + match_radius)


def test_pair_products_are_fewer_where_bands_pay() -> None:
    assert pair_products((37, 37), None) == 1369**2
    assert pair_products((14, 14), 2) == 196**2
    assert pair_products((37, 37), 4) < 0.32 * 1369**2
    assert pair_products((37, 37), 36) == 1369**2
