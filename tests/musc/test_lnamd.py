"""LNAMD against plain loops, and the laws it obeys."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musc.lnamd import aggregate

LAW = settings(max_examples=25, deadline=None, database=None)
GRIDS = [(5, 5), (3, 7), (7, 2), (1, 5), (1, 1)]
WIDTH = 11

grids = st.tuples(st.integers(1, 6), st.integers(1, 6))
degrees = st.sampled_from([1, 3, 5, 7])
seeds = st.integers(0, 2**31)


def looped_aggregate(tokens: np.ndarray, grid: tuple[int, int], degree: int) -> np.ndarray:
    """The definition in float64, one patch at a time: (N, P, C) -> (N, P, C)."""
    rows, columns = grid
    reach = degree // 2
    result = np.zeros(tokens.shape, dtype=np.float64)
    for number, image in enumerate(tokens.astype(np.float64)):
        normal = (image - image.mean()) / np.sqrt(image.var() + 1e-5)
        for row in range(rows):
            for column in range(columns):
                total = np.zeros(tokens.shape[2])
                for near_row in range(max(0, row - reach), min(rows, row + reach + 1)):
                    for near_column in range(max(0, column - reach), min(columns, column + reach + 1)):
                        total += normal[near_row * columns + near_column]
                mean = total / degree**2
                result[number, row * columns + column] = mean / np.sqrt((mean**2).sum())
    return result


def seeded_tokens(seed: int, grid: tuple[int, int], image_count: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(image_count, grid[0] * grid[1], WIDTH, generator=generator) * 3 + 2


def flipped(values: torch.Tensor, grid: tuple[int, int], axis: int) -> torch.Tensor:
    return values.unflatten(1, grid).flip(axis).flatten(1, 2)


@pytest.mark.parametrize("degree", [1, 3, 5])
@pytest.mark.parametrize("grid", GRIDS)
def test_aggregate_oracle(grid: tuple[int, int], degree: int) -> None:
    tokens = seeded_tokens(7, grid)
    np.testing.assert_allclose(
        aggregate(tokens, grid, degree), looped_aggregate(tokens.numpy(), grid, degree), atol=1e-5
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_aggregate_computes_in_float32(dtype: torch.dtype) -> None:
    tokens = seeded_tokens(8, (3, 5)).to(dtype)
    ours = aggregate(tokens, (3, 5), 3)
    assert ours.dtype == torch.float32
    np.testing.assert_allclose(ours, looped_aggregate(tokens.numpy(), (3, 5), 3), atol=1e-5)


@LAW
@given(seed=seeds, grid=grids, degree=degrees)
def test_aggregate_rows_have_unit_length(seed: int, grid: tuple[int, int], degree: int) -> None:
    lengths = torch.linalg.vector_norm(aggregate(seeded_tokens(seed, grid), grid, degree), dim=2)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))


@LAW
@given(seed=seeds, grid=grids)
def test_aggregate_degree_1_keeps_patches_apart(seed: int, grid: tuple[int, int]) -> None:
    tokens = seeded_tokens(seed, grid)
    order = torch.randperm(tokens.shape[1], generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(aggregate(tokens[:, order], grid, 1), aggregate(tokens, grid, 1)[:, order])


def test_aggregate_degree_3_reaches_the_next_cell_only() -> None:
    tokens = seeded_tokens(9, (1, 7))
    swapped = tokens.clone()
    swapped[:, [5, 6]] = tokens[:, [6, 5]]  # only cell 4 has one of the two in its neighbourhood
    changed = (aggregate(tokens, (1, 7), 3) - aggregate(swapped, (1, 7), 3)).abs().amax(dim=(0, 2)) > 1e-3
    assert changed.tolist() == [False] * 4 + [True] + [False] * 2


@LAW
@given(seed=seeds, grid=grids, degree=degrees, axis=st.sampled_from([1, 2]))
def test_aggregate_flipped_grid_flips_result(seed: int, grid: tuple[int, int], degree: int, axis: int) -> None:
    tokens = seeded_tokens(seed, grid)
    ours = aggregate(flipped(tokens, grid, axis), grid, degree)
    torch.testing.assert_close(ours, flipped(aggregate(tokens, grid, degree), grid, axis), atol=1e-5, rtol=0)


@LAW
@given(seed=seeds, degree=degrees, scale=st.floats(0.5, 50), shift=st.floats(-20, 20))
def test_aggregate_ignores_scale_and_shift_of_an_image(seed: int, degree: int, scale: float, shift: float) -> None:
    tokens = seeded_tokens(seed, (3, 5))
    changed = tokens.clone()
    changed[1] = tokens[1] * scale + shift
    torch.testing.assert_close(aggregate(changed, (3, 5), degree), aggregate(tokens, (3, 5), degree), atol=1e-4, rtol=0)


@LAW
@given(seed=seeds, degree=degrees)
def test_aggregate_images_do_not_touch_each_other(seed: int, degree: int) -> None:
    tokens = seeded_tokens(seed, (3, 5), image_count=4)
    alone = torch.cat([aggregate(image[None], (3, 5), degree) for image in tokens])
    torch.testing.assert_close(aggregate(tokens, (3, 5), degree), alone)


@pytest.mark.parametrize("degree", [1, 3])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e4])
def test_aggregate_constant_tokens_give_zeros(value: float, degree: int) -> None:
    assert torch.equal(aggregate(torch.full((2, 35, 13), value), (5, 7), degree), torch.zeros(2, 35, 13))


def test_aggregate_transposed_input() -> None:
    tokens = seeded_tokens(10, (3, 5))
    strided = tokens.transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(aggregate(strided, (3, 5), 3), aggregate(tokens, (3, 5), 3))


@pytest.mark.parametrize("degree", [0, -1, -3, 2, 4, 1.5])
def test_aggregate_refuses_degree_without_centre(degree: int) -> None:
    with pytest.raises(ValueError, match=f"degree must be a positive odd number of patches, got {degree}"):
        aggregate(torch.ones(2, 15, 7), (3, 5), degree)


def test_aggregate_refuses_grid_mismatch() -> None:
    with pytest.raises(
        ValueError, match=r"patch_tokens must have one patch .* 3 × 4 grid \(12 on axis 1\).*\(2, 15, 7\)"
    ):
        aggregate(torch.ones(2, 15, 7), (3, 4), 3)


def test_aggregate_refuses_empty_grid() -> None:
    with pytest.raises(ValueError, match=r"grid must hold two positive counts .*got \(0, 5\)"):
        aggregate(torch.ones(2, 0, 7), (0, 5), 3)


def test_aggregate_refuses_missing_axis() -> None:
    with pytest.raises(ValueError, match=r"patch_tokens must have the axes \(N, P, C\), got shape \(2, 15\)"):
        aggregate(torch.ones(2, 15), (3, 5), 3)
