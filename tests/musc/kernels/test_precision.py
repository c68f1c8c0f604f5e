"""Half-precision products against float64 products of the same features, before and after they are rounded."""

import pytest
import torch
import torch.nn.functional as F

from musc.kernels.matrix_products import fill_directed, fill_symmetric
from musc.mutual import mutual_scores

ROUNDOFFS = {torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}
"""Largest relative error of one rounded value."""
HALVES = list(ROUNDOFFS)


def unit_rows(image_count: int, patch_count: int, width: int, seed: int = 0) -> torch.Tensor:
    """Rows whose values spread over many orders of magnitude."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(image_count, patch_count, width, generator=generator)
    return F.normalize(rows * torch.exp(3 * torch.randn(rows.shape, generator=generator)), dim=2)


def largest_products(features: torch.Tensor) -> torch.Tensor:
    """(N, P, C) -> (N, N, P) in float64."""
    return torch.einsum("ipc,jqc->ijpq", features.double(), features.double()).amax(dim=3)


def similarity_bound(dtype: torch.dtype, width: int) -> float:
    """How far rounding unit vectors of C values can move a similarity: 2u + u², and 2⁻²⁵ more per value in float16."""
    smallest = 2.0**-25 if dtype == torch.float16 else 0.0
    return 2 * ROUNDOFFS[dtype] + ROUNDOFFS[dtype] ** 2 + 2 * smallest * width**0.5


@pytest.mark.parametrize("dtype", HALVES)
def test_products_of_half_features_are_summed_and_kept_in_float32(dtype: torch.dtype) -> None:
    features = unit_rows(5, 21, 64).to(dtype)
    expected = largest_products(features).float()
    nearest = torch.full((5, 5, 21), -torch.inf)
    fill_symmetric(nearest, features)
    others = ~torch.eye(5, dtype=torch.bool)
    torch.testing.assert_close(nearest[others], expected[others], atol=1e-6, rtol=0)
    fill_directed(nearest[:2, 2:], features[:2], features[2:])
    torch.testing.assert_close(nearest[:2, 2:], expected[:2, 2:], atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("width", [8, 64, 1024])
def test_rounding_features_moves_similarities_within_the_bound(dtype: torch.dtype, width: int) -> None:
    features = unit_rows(6, 16, width, seed=width)
    moved = (largest_products(features.to(dtype)) - largest_products(features)).abs().max()
    assert moved <= similarity_bound(dtype, width)


@pytest.mark.parametrize("dtype", HALVES)
def test_similarity_bound_is_reached_by_the_worst_vectors(dtype: torch.dtype) -> None:
    # Just below the middle of two neighbouring values, so that every one of them is rounded down by almost u.
    vector = torch.full((4,), 0.5 * (1 + 0.99 * ROUNDOFFS[dtype]), dtype=torch.float64)
    moved = (vector.to(dtype).double() @ vector.to(dtype).double() - vector @ vector).abs()
    assert 0.9 * similarity_bound(dtype, 4) < moved <= similarity_bound(dtype, 4)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 2e-4), (torch.bfloat16, 2e-3)])
def test_scores_of_half_features_stay_near(dtype: torch.dtype, tolerance: float) -> None:
    features = F.normalize(torch.randn(8, 25, 256, generator=torch.Generator().manual_seed(1)), dim=2)
    torch.testing.assert_close(mutual_scores(features.to(dtype)), mutual_scores(features), atol=tolerance, rtol=0)


@pytest.mark.parametrize("dtype", HALVES)
def test_products_of_half_features_within_a_window_are_kept_in_float32(dtype: torch.dtype) -> None:
    features = unit_rows(4, 30, 64).to(dtype)
    halves, wide = (mutual_scores(each, match_radius=1, grid=(6, 5)) for each in (features, features.float()))
    torch.testing.assert_close(halves, wide, atol=1e-5, rtol=0)
