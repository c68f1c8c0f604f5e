"""Nearest patches of pooled patches in float64 and plain loops."""

import numpy as np


def pooled_vectors(tokens: np.ndarray, grid: tuple[int, int], degree: int) -> np.ndarray:
    """LNAMD of one image, a patch at a time: (P, C) -> (P, C), rows of length 1."""
    rows, columns = grid
    reach = degree // 2
    image = tokens.astype(np.float64)
    normal = (image - image.mean()) / np.sqrt(image.var() + 1e-5)
    vectors = np.zeros(normal.shape)
    for row in range(rows):
        for column in range(columns):
            total = np.zeros(normal.shape[1])
            for near_row in range(max(0, row - reach), min(rows, row + reach + 1)):
                for near_column in range(max(0, column - reach), min(columns, column + reach + 1)):
                    total += normal[near_row * columns + near_column]
            vectors[row * columns + column] = total / np.sqrt((total**2).sum())
    return vectors


def nearest_similarities(
    query: np.ndarray,
    reference: np.ndarray,
    grid: tuple[int, int],
    excluded: np.ndarray,
    match_radius: int | None = None,
) -> np.ndarray:
    """Largest similarity of each row of `query` to the rows of `reference` that may be matched: (P,), −inf if none."""
    found = np.full(len(query), -np.inf)
    for patch, vector in enumerate(query):
        row, column = divmod(patch, grid[1])
        for other, candidate in enumerate(reference):
            other_row, other_column = divmod(other, grid[1])
            far = match_radius is not None and max(abs(row - other_row), abs(column - other_column)) > match_radius
            if not far and not excluded[other]:
                found[patch] = max(found[patch], float(vector @ candidate))
    return found
