"""Scores of parts judged good decide only where they may stand for all good parts."""

import numpy as np
import pytest

from reports.verdicts.known_good import chosen_by_score


@pytest.mark.parametrize(
    ("ranks", "chosen"),
    [
        (np.linspace(0.05, 0.95, 20), False),
        (np.linspace(0.02, 0.6, 20), False),
        (np.linspace(0.85, 0.99, 5), True),
        (np.array([0.97]), False),
        (np.array([0.97, 0.98]), True),
        (np.empty(0), False),
    ],
)
def test_images_from_the_top_of_their_lots_were_chosen_by_score(ranks: np.ndarray, chosen: bool) -> None:
    assert chosen_by_score(ranks) == chosen


def test_drawn_images_are_rarely_taken_for_chosen() -> None:
    rng = np.random.default_rng(0)
    assert np.mean([chosen_by_score(rng.random(15)) for _ in range(2000)]) == pytest.approx(0.05, abs=0.015)
