"""LNAMD without torch is LNAMD."""

import numpy as np
import pytest
import torch

from musc.kernels.lnamd_numpy import aggregate_arrays
from musc.lnamd import aggregate


@pytest.mark.parametrize("degree", [1, 3, 5])
@pytest.mark.parametrize("grid", [(5, 7), (1, 4), (3, 3)])
def test_arrays_are_aggregated_as_tensors_are(degree: int, grid: tuple[int, int]) -> None:
    tokens = np.random.default_rng(4).standard_normal((3, grid[0] * grid[1], 11)).astype(np.float16)
    expected = aggregate(torch.from_numpy(tokens), grid, degree).numpy()
    found = aggregate_arrays(tokens, grid, degree)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_equal_tokens_stay_zero() -> None:
    tokens = np.full((1, 4, 3), 2.5, dtype=np.float16)
    assert not aggregate_arrays(tokens, (2, 2), 3).any()
