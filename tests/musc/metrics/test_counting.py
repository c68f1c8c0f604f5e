"""Counting by bins must be exact whatever the distribution of scores."""

import numpy as np
import pytest

from musc.metrics import counting
from musc.metrics.counting import count_below, count_clean

random = np.random.default_rng(11)
SCORES = {
    "uniform": random.random(5003),
    "negative": random.normal(-3, 2, 5003),
    "tied": random.integers(-4, 5, 5003) / 3,
    "outlier": np.append(random.random(5002), 1e30),
    "constant": np.full(5003, 0.1),
    "denormal": random.integers(0, 9, 5003) * 1e-44,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("distribution", SCORES)
@pytest.mark.parametrize("bins_at_most", [1, 97, 2**20])
def test_count_below_is_exact(
    distribution: str, dtype: type, bins_at_most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_MAX_BINS", bins_at_most)
    monkeypatch.setattr(counting, "_PART_PIXELS", 1000)
    scores: np.ndarray = SCORES[distribution].astype(dtype)
    thresholds = np.concatenate([scores[::50], [scores.max(), scores.min()]])
    below, not_above = count_below(scores, thresholds)
    np.testing.assert_array_equal(below, (scores < thresholds[:, None]).sum(axis=1))
    np.testing.assert_array_equal(not_above, (scores <= thresholds[:, None]).sum(axis=1))


def test_count_clean_leaves_the_defective_out() -> None:
    scores = np.array([0.1, 0.5, 0.5, 0.5, 0.9, 0.9])
    clean = count_clean(scores, np.array([0.9, 0.5]), np.array([0.5, 0.9]))
    # Clean are 0.1, 0.5, 0.5 and 0.9.
    assert (clean.above.tolist(), clean.reached.tolist(), clean.total) == ([1, 0], [3, 1], 4)
