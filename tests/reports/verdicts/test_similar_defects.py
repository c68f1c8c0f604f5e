"""Judged defects that look like a place: the nearest ones, and none farther than good places are."""

import numpy as np
import pytest

from reports.verdicts.similar_defects import SHOWN, alike_defects, drawn_place, touched_patches


def box(left: float, top: float, right: float, bottom: float) -> list[dict[str, object]]:
    return [{"points": [(left, top), (right, top), (right, bottom), (left, bottom)]}]


def test_alike_are_the_nearest_by_plain_distances() -> None:
    random = np.random.default_rng(7)
    known = random.normal(size=(20, 5))
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    place = known[3] + 0.2 * known[4]
    place /= np.linalg.norm(place)
    plain = [float(np.sqrt(sum((a - b) ** 2 for a, b in zip(one, place, strict=True)))) for one in known]
    found = alike_defects(place, known, within=2.0)
    assert [one.place for one in found] == sorted(range(20), key=plain.__getitem__)[:SHOWN]
    assert [one.distance for one in found] == pytest.approx(sorted(plain)[:SHOWN])
    assert [one.place for one in alike_defects(place, known, within=sorted(plain)[1] + 1e-9)] == [
        one.place for one in found[:2]
    ]
    assert alike_defects(place, known, within=0.0) == []
    assert alike_defects(place, known[:0], within=2.0) == []


def test_places_touch_the_patches_they_lie_in() -> None:
    assert np.argwhere(touched_patches(box(11, 1, 19, 9), (40, 20), (2, 4))).tolist() == [[0, 1]]
    assert np.argwhere(touched_patches(box(30, 10, 40, 20), (40, 20), (2, 4))).tolist() == [[1, 3]]
    assert touched_patches(box(0, 0, 40, 20), (40, 20), (2, 4)).all()
    assert not touched_patches([], (40, 20), (2, 4)).any()


def test_drawn_place_is_the_worst_in_what_was_drawn() -> None:
    scores = np.array([[9.0, 1.0], [2.0, np.nan]])
    assert drawn_place(scores, box(11, 1, 19, 9) + box(1, 11, 9, 19), (20, 20)) == 2
    assert drawn_place(scores, box(11, 11, 19, 19), (20, 20)) is None, "outside of the region of interest"
