"""One product for all degrees finds the same nearest patches as float64 loops over aggregated ones."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import musc.kernels.pooled_scores
from musc.kernels import matrix_products as products
from musc.kernels.match_window import window_bands
from musc.kernels.pooled_scores import fill_directed, fill_symmetric
from musc.lnamd import aggregate, pool
from tests.musc.kernels.oracle import nearest_similarities, pooled_vectors

LAW = settings(max_examples=25, deadline=None, database=None)
N, WIDTH, DEGREES = 4, 11, (1, 3, 5, 7)
GRIDS = [(5, 5), (3, 7), (7, 2), (1, 6), (6, 1), (1, 1), (9, 8)]
"""Of fewer rows or columns than a neighbourhood reaches, and of more."""


def seeded_tokens(grid: tuple[int, int], image_count: int = N, width: int = WIDTH, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(image_count, grid[0] * grid[1], width, generator=generator) * 3 + 2


def seeded_exclusion(grid: tuple[int, int], image_count: int = N) -> torch.Tensor:
    """About a third of the patches, and all of the last image."""
    excluded = torch.rand(image_count, grid[0] * grid[1], generator=torch.Generator().manual_seed(1)) < 0.3
    excluded[-1] = True
    return excluded


def looped(
    tokens: torch.Tensor, grid: tuple[int, int], degree: int, excluded: torch.Tensor, match_radius: int | None
) -> np.ndarray:
    """Nearest similarities of all pairs, −inf of an image to itself: float64 (N, N, P)."""
    images = [pooled_vectors(image, grid, degree) for image in tokens.numpy()]
    found = np.full((len(images), len(images), grid[0] * grid[1]), -np.inf)
    for i, query in enumerate(images):
        for j, reference in enumerate(images):
            if i != j:
                found[i, j] = nearest_similarities(query, reference, grid, excluded[j].numpy(), match_radius)
    return found


@pytest.mark.parametrize("match_radius", [None, 0, 1, 3])
@pytest.mark.parametrize("excluding", [False, True])
@pytest.mark.parametrize("grid", GRIDS)
def test_fills_oracle(grid: tuple[int, int], excluding: bool, match_radius: int | None) -> None:
    tokens, patch_count = seeded_tokens(grid), grid[0] * grid[1]
    excluded = seeded_exclusion(grid) if excluding else None
    features = pool(tokens, grid, DEGREES)
    symmetric = torch.full((len(DEGREES), N, N, patch_count), -torch.inf)
    fill_symmetric(symmetric, features, excluded, match_radius)
    directed = torch.full((len(DEGREES), 2, 2, patch_count), -torch.inf)
    fill_directed(directed, features[:2], features[2:], None if excluded is None else excluded[2:], match_radius)
    nothing = torch.zeros(N, patch_count, dtype=torch.bool)
    for number, degree in enumerate(DEGREES):
        expected = looped(tokens, grid, degree, nothing if excluded is None else excluded, match_radius)
        np.testing.assert_allclose(symmetric[number], expected, atol=1e-6)
        np.testing.assert_allclose(directed[number], expected[:2, 2:], atol=1e-6)


@LAW
@given(
    grid=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    degrees=st.sets(st.sampled_from([1, 3, 5, 7, 9]), min_size=1).map(tuple),
    match_radius=st.none() | st.integers(0, 6),
    seed=st.integers(0, 2**31),
)
def test_fills_agree_with_a_product_for_each_degree(
    grid: tuple[int, int], degrees: tuple[int, ...], match_radius: int | None, seed: int
) -> None:
    tokens, excluded = seeded_tokens(grid, 3, 5, seed), seeded_exclusion(grid, 3)
    features = pool(tokens, grid, degrees)
    ours = torch.full((len(degrees), 3, 3, grid[0] * grid[1]), -torch.inf)
    fill_symmetric(ours, features, excluded, match_radius)
    for found, degree in zip(ours, features.degrees, strict=True):
        expected = torch.full_like(found, -torch.inf)
        bands = window_bands(grid[0] * grid[1], match_radius, grid, tokens.device)
        products.fill_symmetric(expected, aggregate(tokens, grid, degree), excluded, bands)
        torch.testing.assert_close(found, expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("match_radius", [None, 2])
def test_fills_of_banded_grids_agree_with_a_product_for_each_degree(match_radius: int | None) -> None:
    grid = (30, 20)  # enough patches that a match_radius is multiplied in bands of rows
    tokens, excluded = seeded_tokens(grid, 3), seeded_exclusion(grid, 3)
    ours = torch.full((3, 3, 3, 600), -torch.inf)
    fill_symmetric(ours, pool(tokens, grid, (1, 3, 5)), excluded, match_radius)
    for found, degree in zip(ours, (1, 3, 5), strict=True):
        expected = torch.full_like(found, -torch.inf)
        bands = window_bands(600, match_radius, grid, tokens.device)
        products.fill_symmetric(expected, aggregate(tokens, grid, degree), excluded, bands)
        torch.testing.assert_close(found, expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("columns", [1, 25, 26, 60, 10_000])
def test_fills_do_not_depend_on_the_width_of_products(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    features = pool(seeded_tokens((5, 5), 7), (5, 5), (1, 3))
    expected = torch.full((2, 7, 7, 25), -torch.inf)
    fill_symmetric(expected, features)
    monkeypatch.setattr(musc.kernels.pooled_scores, "PRODUCT_COLUMNS", columns)
    found = torch.full_like(expected, -torch.inf)
    fill_symmetric(found, features)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_fills_do_not_depend_on_threads(three_threads: None) -> None:
    features = pool(seeded_tokens((4, 5), 9), (4, 5), (1, 3, 5))
    found = []
    for count in (3, 1):
        torch.set_num_threads(count)
        found.append(torch.full((3, 9, 9, 20), -torch.inf))
        fill_symmetric(found[-1], features)
    assert torch.equal(*found)


def test_fill_symmetric_leaves_own_entries_alone() -> None:
    found = torch.full((2, 3, 3, 9), 5.0)
    fill_symmetric(found, pool(seeded_tokens((3, 3), 3), (3, 3), (1, 3)))
    own = found.diagonal(dim1=1, dim2=2)
    assert torch.equal(own, torch.full_like(own, 5.0))
    assert (found == 5).sum() == own.numel()


def test_fills_of_images_without_content_find_similarity_0() -> None:
    tokens = seeded_tokens((4, 4), 3)
    tokens[1] = 0.5
    found = torch.full((2, 3, 3, 16), -torch.inf)
    fill_symmetric(found, pool(tokens, (4, 4), (1, 3)))
    assert not found[:, 1, [0, 2]].any()
    assert not found[:, [0, 2], 1].any()
    excluded = torch.ones(3, 16, dtype=torch.bool)
    fill_symmetric(found, pool(tokens, (4, 4), (1, 3)), excluded)
    assert bool((found[:, 1, [0, 2]] == -torch.inf).all())
