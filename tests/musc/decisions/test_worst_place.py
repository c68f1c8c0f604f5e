"""The worst place of an image lies in the middle of what is outlined, not at the highest pixel of its map."""

import numpy as np

from musc.decisions.worst_place import without_border, worst_place

ROWS, COLUMNS = 40, 40


def noise() -> np.ndarray:
    """A map without any defect: float64 (40, 40), about 0.2."""
    return np.random.default_rng(0).uniform(0.15, 0.25, (ROWS, COLUMNS))


def place_in(scores: np.ndarray, threshold: float | None = 0.5) -> tuple[int, int]:
    """Row and column of the worst place."""
    return divmod(worst_place(scores, scores, threshold), COLUMNS)  # type: ignore[return-value]


def test_place_of_a_stain_seen_by_its_border_is_its_middle() -> None:
    scores = noise()
    scores[10:21, 20:31] = 0.7
    scores[12:19, 22:29] = 0.3
    scores[10, 20] = 0.8
    assert place_in(scores) == (15, 25)
    assert place_in(scores, None) == (15, 25), "also of an image that is not listed"


def test_both_edges_of_a_stain_are_one_place() -> None:
    scores = noise()
    scores[10:20, [20, 23]] = 0.7
    scores[10, 20] = 0.9
    row, column = place_in(scores)
    assert 12 <= row <= 17
    assert 20 <= column <= 23


def test_place_of_a_cord_is_in_the_cord_though_its_map_is_highest_where_it_leaves_the_photograph() -> None:
    scores = noise()
    scores[20:22, 20:40] = 0.75
    scores[20:22, 39] = 0.9
    row, column = place_in(scores)
    assert row in (20, 21)
    assert 26 <= column <= 33


def test_place_is_outlined_itself_where_a_part_has_a_hole() -> None:
    scores = noise()
    scores[8:32, 8:32] = 0.7
    scores[18:22, 18:22] = 0.2
    row, column = place_in(scores)
    assert scores[row, column] == 0.7


def test_border_that_is_odd_all_around_is_no_defect() -> None:
    scores = noise()
    edge = np.ones_like(scores, dtype=bool)
    edge[1:-1, 1:-1] = False
    scores[edge] += 0.5
    scores[20:25, 12:17] = 0.8
    scores[0, 5] = 0.85
    assert place_in(scores) == (22, 14)
    settled = without_border(scores)
    assert abs(np.median(settled[0]) - np.median(settled[10])) < 0.05
    assert (settled[2:-2, 2:-2] == scores[2:-2, 2:-2]).all()


def test_cord_at_the_border_stays_worst_where_the_rest_of_the_border_is_as_usual() -> None:
    scores = noise()
    scores[15:20, 0:3] = 0.9
    scores[30, 30] = 0.8
    assert place_in(scores) == (17, 1)


def test_place_lies_in_the_region_of_interest() -> None:
    scores = noise()
    scores[10:21, 20:31] = 0.7
    scores[14:17, 24:27] = np.nan
    row, column = place_in(scores)
    assert not np.isnan(scores[row, column])


def test_small_grids_have_a_place() -> None:
    scores = np.array([[0.1, 0.2], [0.9, 0.1]])
    assert worst_place(scores, scores, 0.5) == 2
