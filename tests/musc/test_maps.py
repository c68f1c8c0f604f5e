"""Anomaly maps, their maxima and where these lie."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musc.layers import Grid
from musc.maps import anomaly_maps, any_patch, image_scores, maps_of_run, on_grid, peak_positions

LAW = settings(max_examples=25, deadline=None, database=None)
sides = st.integers(1, 7)
pixels = st.integers(2, 23)


def seeded_scores(seed: int, grid: tuple[int, int]) -> torch.Tensor:
    return torch.rand(3, grid[0] * grid[1], generator=torch.Generator().manual_seed(seed)) * 2


def looped_map(scores: np.ndarray, grid: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Bilinear interpolation in float64 between corner-aligned cells, one pixel at a time."""
    cells = scores.astype(np.float64).reshape(grid)
    result = np.zeros(size)
    for row, column in np.ndindex(*size):
        y = row * (grid[0] - 1) / (size[0] - 1)
        x = column * (grid[1] - 1) / (size[1] - 1)
        top, left = int(y), int(x)
        bottom, right = min(top + 1, grid[0] - 1), min(left + 1, grid[1] - 1)
        upper = cells[top, left] * (1 - (x - left)) + cells[top, right] * (x - left)
        lower = cells[bottom, left] * (1 - (x - left)) + cells[bottom, right] * (x - left)
        result[row, column] = upper * (1 - (y - top)) + lower * (y - top)
    return result


@pytest.mark.parametrize("grid", [(5, 5), (3, 7), (7, 2), (1, 4), (1, 1)])
@pytest.mark.parametrize("size", [(11, 11), (13, 17), (4, 3)])
def test_anomaly_maps_oracle(grid: tuple[int, int], size: tuple[int, int]) -> None:
    scores = seeded_scores(1, grid)
    expected = [looped_map(one, grid, size) for one in scores.numpy()]
    np.testing.assert_allclose(anomaly_maps(scores, grid, size), expected, atol=1e-5)


@LAW
@given(rows=sides, columns=sides, height=pixels, width=pixels)
def test_anomaly_maps_corners_are_the_corner_patches(rows: int, columns: int, height: int, width: int) -> None:
    scores = seeded_scores(2, (rows, columns))
    maps, cells = anomaly_maps(scores, (rows, columns), (height, width)), scores.view(3, rows, columns)
    assert maps.shape == (3, height, width)
    for row in (0, -1):
        for column in (0, -1):
            torch.testing.assert_close(maps[:, row, column], cells[:, row, column])


@LAW
@given(rows=sides, columns=sides, height=pixels, width=pixels)
def test_anomaly_maps_stay_in_the_range_of_the_scores(rows: int, columns: int, height: int, width: int) -> None:
    scores = seeded_scores(3, (rows, columns))
    maps = anomaly_maps(scores, (rows, columns), (height, width)).flatten(1)
    assert bool((maps.amax(1) <= scores.amax(1) + 1e-6).all() and (maps.amin(1) >= scores.amin(1) - 1e-6).all())


def test_anomaly_maps_constant_scores_give_constant_maps() -> None:
    maps = anomaly_maps(torch.full((2, 15), 0.7), (3, 5), (11, 13))
    torch.testing.assert_close(maps, torch.full((2, 11, 13), 0.7))


def test_anomaly_maps_float64_scores_give_float32() -> None:
    assert anomaly_maps(torch.ones(1, 6, dtype=torch.float64), (2, 3), (5, 7)).dtype == torch.float32


def test_anomaly_maps_refuses_grid_mismatch() -> None:
    with pytest.raises(ValueError, match=r"patch_scores must have one patch .* 5 × 4 grid .*shape \(2, 15\)"):
        anomaly_maps(torch.ones(2, 15), (5, 4), (11, 13))


def test_anomaly_maps_refuses_tokens_for_scores() -> None:
    with pytest.raises(ValueError, match=r"patch_scores must have the axes \(N, P\), got shape \(2, 15, 7\)"):
        anomaly_maps(torch.ones(2, 15, 7), (3, 5), (11, 13))


def test_image_scores_are_the_maxima() -> None:
    maps = torch.zeros(3, 5, 7)
    maps[0, 4, 6], maps[1, 0, 3], maps[2] = 0.25, 1.5, -1.0
    assert image_scores(maps).tolist() == [0.25, 1.5, -1.0]


def test_peak_positions_are_row_and_column() -> None:
    maps = torch.zeros(3, 5, 7)
    maps[0, 4, 6], maps[1, 1, 5], maps[2, 3, 0] = 1, 1, 1
    assert peak_positions(maps).tolist() == [[4, 6], [1, 5], [3, 0]]


def test_peak_positions_first_among_equals() -> None:
    maps = torch.zeros(2, 5, 7)
    maps[0, 2, 3] = maps[0, 2, 5] = maps[0, 4, 0] = 1
    assert peak_positions(maps).tolist() == [[2, 3], [0, 0]]


@LAW
@given(seed=st.integers(0, 2**31))
def test_peak_positions_hold_the_image_scores(seed: int) -> None:
    maps = torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(seed))
    rows, columns = peak_positions(maps).T
    assert torch.equal(maps[torch.arange(3), rows, columns], image_scores(maps))


def test_on_grid_of_its_own_is_the_same_tensor() -> None:
    scores = seeded_scores(4, (3, 5))
    assert on_grid(scores, (3, 5), (3, 5)) is scores


@pytest.mark.parametrize(("grid", "finest"), [((2, 3), (5, 7)), ((3, 5), (6, 10)), ((1, 2), (3, 4)), ((7, 2), (7, 5))])
def test_on_grid_oracle(grid: Grid, finest: Grid) -> None:
    scores = seeded_scores(5, grid)
    found = on_grid(scores, grid, finest)
    expected = [looped_map(one, grid, finest).ravel() for one in scores.numpy()]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert torch.equal(found, anomaly_maps(scores, grid, finest).flatten(1))


def looped_touched(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """Whether a cell of the grid overlaps a marked one, with whole numbers, one pair of cells at a time."""
    rows, columns = mask.shape
    found = np.zeros(grid, dtype=bool)
    for row, column, other_row, other_column in np.ndindex(*grid, rows, columns):
        over_rows = row * rows < (other_row + 1) * grid[0] and other_row * grid[0] < (row + 1) * rows
        over_columns = (
            column * columns < (other_column + 1) * grid[1] and other_column * grid[1] < (column + 1) * columns
        )
        found[row, column] |= over_rows and over_columns and mask[other_row, other_column]
    return found


@pytest.mark.parametrize(
    ("own", "wanted"),
    [((3, 5), (2, 2)), ((2, 2), (3, 5)), ((4, 6), (2, 3)), ((2, 3), (4, 6)), ((3, 5), (3, 5)), ((1, 7), (5, 3))],
)
def test_touched_oracle(own: Grid, wanted: Grid) -> None:
    single = torch.eye(own[0] * own[1], dtype=torch.bool).view(-1, *own)
    several = torch.rand(20, *own, generator=torch.Generator().manual_seed(6)) < 0.2
    masks = torch.cat([torch.zeros(1, *own, dtype=torch.bool), single, several])
    expected = np.stack([looped_touched(mask, wanted) for mask in masks.numpy()])
    np.testing.assert_array_equal(any_patch(masks, wanted), expected, strict=True)


def test_maps_of_a_run_have_the_asked_size_and_the_corners_of_the_grid() -> None:
    scores = np.arange(12).reshape(2, 2, 3)
    found = maps_of_run(scores, (20, 30))
    assert (found.shape, found.dtype) == ((2, 20, 30), np.float32)
    np.testing.assert_allclose(found[:, [0, 0, -1, -1], [0, -1, 0, -1]], [[0, 2, 3, 5], [6, 8, 9, 11]], atol=1e-6)
