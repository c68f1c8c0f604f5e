"""The compared batch methods against plain loops."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
GRID = (3, 4)


@pytest.fixture
def scoring(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, found as its scripts find it."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "batch"))
    return importlib.import_module("scoring")


@pytest.fixture
def tokens() -> torch.Tensor:
    return torch.randn(2, 12, 5, generator=torch.Generator().manual_seed(3)) + 0.4


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def test_similarity_weighted_by_plain_loops(scoring: Any, tokens: torch.Tensor) -> None:
    found = scoring.similarity_weighted(tokens, GRID)
    for image in range(2):
        values = tokens[image].double().numpy()
        normal = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
        for patch in range(12):
            row, column = divmod(patch, 4)
            total = np.zeros(5)
            for other in range(12):
                r, c = divmod(other, 4)
                if abs(r - row) <= 1 and abs(c - column) <= 1:
                    total += max(0.0, unit(normal[patch]) @ unit(normal[other])) * normal[other]
            expected = unit(unit(normal[patch]) + unit(total))
            np.testing.assert_allclose(found[image, patch], expected, atol=1e-5)


def test_one_vector_is_the_mean_of_the_degrees(scoring: Any, tokens: torch.Tensor) -> None:
    from musc.lnamd import aggregate

    sums = aggregate(tokens, GRID, 1).double() + aggregate(tokens, GRID, 3).double()
    expected = [[unit(patch) for patch in image] for image in sums.numpy()]
    np.testing.assert_allclose(scoring.one_vector(tokens, GRID), expected, atol=1e-6)


def test_farthest_takes_the_least_alike_each_time(scoring: Any) -> None:
    angles = torch.tensor([0.0, 0.1, 1.5, 1.4, 0.8])
    vectors = torch.stack([angles.cos(), angles.sin()], dim=1)
    torch.testing.assert_close(scoring.farthest(vectors, 3), vectors[[0, 2, 4]])
