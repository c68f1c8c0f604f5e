"""Resizing position embeddings, against a bicubic interpolation in plain loops."""

import math

import numpy as np
import pytest
import torch

from musc.backbones.vision_transformers.positions import resize_positions


def cubic_weight(distance: float) -> float:
    """Keys' cubic convolution with a = -0.75."""
    a, d = -0.75, abs(distance)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0.0


def bicubic_line(values: np.ndarray, count: int, scale: float) -> np.ndarray:
    """Resize the first axis without antialias; pixel centres lie at halves, edges are repeated."""
    lines = []
    for index in range(count):
        centre = (index + 0.5) / scale - 0.5
        base = math.floor(centre)
        taps = range(base - 1, base + 3)
        lines.append(sum(cubic_weight(centre - tap) * values[min(max(tap, 0), len(values) - 1)] for tap in taps))
    return np.stack(lines)


def bicubic(plane: np.ndarray, grid: tuple[int, int], offset: float) -> np.ndarray:
    rows = bicubic_line(plane, grid[0], (grid[0] + offset) / plane.shape[0])
    return bicubic_line(rows.swapaxes(0, 1), grid[1], (grid[1] + offset) / plane.shape[1]).swapaxes(0, 1)


@pytest.fixture
def embedding() -> torch.Tensor:
    """One prefix entry and a 5 × 3 grid of width 2."""
    return torch.randn(16, 2, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("offset", [0.0, 0.1])
@pytest.mark.parametrize("grid", [(7, 4), (2, 2), (3, 5)])
def test_resize_positions_plain_loops(embedding: torch.Tensor, grid: tuple[int, int], offset: float) -> None:
    resized = resize_positions(
        embedding, prefix_count=1, trained_grid=(5, 3), grid=grid, antialias=False, offset=offset
    )
    expected = bicubic(embedding[1:].double().numpy().reshape(5, 3, 2), grid, offset).reshape(-1, 2)
    np.testing.assert_allclose(resized[1:].numpy(), expected, atol=2e-6)


def test_resize_positions_prefix_unchanged(embedding: torch.Tensor) -> None:
    resized = resize_positions(embedding, prefix_count=1, trained_grid=(5, 3), grid=(2, 9), antialias=True)
    torch.testing.assert_close(resized[:1], embedding[:1], rtol=0, atol=0)


def test_resize_positions_same_grid_unchanged(embedding: torch.Tensor) -> None:
    resized = resize_positions(embedding, prefix_count=1, trained_grid=(5, 3), grid=(5, 3), antialias=False, offset=0.1)
    assert resized is embedding


def test_resize_positions_same_count_other_grid_resized(embedding: torch.Tensor) -> None:
    resized = resize_positions(embedding, prefix_count=1, trained_grid=(5, 3), grid=(3, 5), antialias=False)
    assert not torch.allclose(resized, embedding)


def test_resize_positions_antialias_differs_when_shrinking(embedding: torch.Tensor) -> None:
    smooth, sharp = (
        resize_positions(embedding, prefix_count=1, trained_grid=(5, 3), grid=(2, 2), antialias=antialias)
        for antialias in (True, False)
    )
    assert not torch.allclose(smooth, sharp, atol=1e-3)


def test_resize_positions_unexpected_square_taken(embedding: torch.Tensor) -> None:
    """A file saved at another square size than the model's own."""
    resized = resize_positions(embedding[:10], prefix_count=1, trained_grid=(5, 3), grid=(6, 6), antialias=False)
    expected = bicubic(embedding[1:10].double().numpy().reshape(3, 3, 2), (6, 6), 0.0).reshape(-1, 2)
    np.testing.assert_allclose(resized[1:].numpy(), expected, atol=2e-6)


def test_resize_positions_neither_expected_nor_square_refused(embedding: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"must cover a grid of 5 × 3 patches or a square one, got 7 positions; use"):
        resize_positions(embedding[:8], prefix_count=1, trained_grid=(5, 3), grid=(6, 6), antialias=False)
