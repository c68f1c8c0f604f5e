"""Choosing pictures: where to crop, what to sample, and what fits a page."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from musc.decisions.decision_words import Decision
from musc.layers import Layer
from reports.page import gallery
from reports.page.crops import close_up_grid, crop_window, worst_patch
from reports.page.find_causes import matches_for
from reports.page.finished_run import FinishedRun
from reports.page.gallery import Card, affordable, spread
from reports.page.matches import NONE_ACCEPTED, normal_looking, searched_at
from storage.artefacts import writing
from storage.images.lots import ListedImage
from storage.results.features import ArraySpec, writing_block
from storage.results.runs import Run
from storage.store import Store
from tests.flat import chosen, job_of, record_of


@pytest.mark.parametrize("patch", [0, 3, 27, 36, 40, 63])
@pytest.mark.parametrize("size", [(80, 80), (200, 90), (31, 77)])
@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (4, 16)])
def test_crop_window_holds_its_patch_and_stays_inside(
    patch: int, size: tuple[int, int], rows: int, columns: int
) -> None:
    (left, top, right, bottom), (x, y, end_x, end_y) = crop_window(patch, (rows, columns), size)
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]
    assert 0 <= x < end_x <= right - left
    assert 0 <= y < end_y <= bottom - top
    centre = (patch % columns + 0.5) * size[0] / columns, (patch // columns + 0.5) * size[1] / rows
    assert left + x <= centre[0] <= left + end_x
    assert top + y <= centre[1] <= top + end_y


@pytest.mark.parametrize("patch", [0, 1050, 2047])
def test_crop_window_is_square_where_the_photograph_allows(patch: int) -> None:
    (left, top, right, bottom), _ = crop_window(patch, (32, 64), (640, 480))
    assert abs((right - left) - (bottom - top)) <= 1


def test_spread_keeps_both_ends() -> None:
    assert spread(range(100), 4) == [0, 33, 66, 99]
    assert spread([5, 6], 4) == [5, 6]


def test_affordable_cuts_the_least_important_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "MAX_PICTURE_BYTES", 100)
    cards = [Card(number, "x" * 20, "x" * 20) for number in range(3)]
    kept, thumbnails, small = affordable(cards, {0: "x"}, {7: "x" * 5})
    assert ([card.position for card in kept], thumbnails, small) == ([0, 1], {}, {})
    kept, thumbnails, small = affordable(cards[:2], {0: "x"}, {7: "x" * 15, 8: "x" * 15, 9: "x"})
    assert (len(kept), list(thumbnails), list(small)) == (2, [0], [7])


@pytest.mark.parametrize(("degrees", "middle"), [((1,), 1), ((5, 1, 3), 3), ((3, 1), 3)])
def test_matches_are_sought_at_the_middle_degree_and_images_that_are_shown_vouch_for_none(
    tmp_path: Path, degrees: tuple[int, ...], middle: int
) -> None:
    store = Store(str(tmp_path))
    tokens = np.random.default_rng(0).standard_normal((8, 4, 3)).astype(np.float16)
    arrays = {"layer_01": ArraySpec((4, 3), "float16")}
    with writing_block(store, "features/a", image_count=8, arrays=arrays, chunk_images=8, attributes={}) as staging:
        staging.write(0, {"layer_01": tokens})
    with writing(store, "runs/caps-1"):
        pass
    found = FinishedRun(Run(store, "runs/caps-1"), "photographs")
    net = replace(job_of().backbone, layers=(Layer(1, (2, 2), 3),))
    keys = {"run": "r", "listing": "l", "features": ("features/a",), "patch_scores": (), "groups": ()}
    record = record_of(job_of(backbone=net, settings=chosen(backbone="net", degrees=degrees)), keys=keys)
    scores = pd.DataFrame(
        {"rank": np.arange(1, 9), "decision": ["suspect", *["accepted"] * 7], "group": 0, "peak_x": 0, "peak_y": 0}
    )
    images = [ListedImage(str(number), "", "", 9, 9, "ok", "") for number in range(8)]
    patch_scores = np.ones((8, 2, 2), dtype=np.float32)
    vars(found).update(record=record, scores=scores, images=images, patch_scores=patch_scores, fine_scores=patch_scores)
    matches, reason = matches_for(found, [0, 1, 2, 4])
    assert (reason, searched_at(record)) == ("", f"layer 1, degree {middle}")
    for of_image in matches.values():
        assert {match.image for match in of_image} == {5, 6, 7}
    scores["decision"] = "suspect"
    assert matches_for(found, [0]) == ({}, NONE_ACCEPTED)


def table(*decisions: str, **columns: list[Any]) -> pd.DataFrame:
    ranked = {"decision": decisions, "rank": range(1, len(decisions) + 1), "group": 0}
    return pd.DataFrame({**ranked, **columns})


def test_only_accepted_images_of_low_score_show_what_is_normal() -> None:
    assert normal_looking(table(*["accepted"] * 4), [0]) == {2, 3}
    assert normal_looking(table("flagged", "suspect", "accepted", "accepted", "suspect"), []) == {3}
    assert normal_looking(table("accepted"), []) == {0}
    assert normal_looking(table("flagged", "suspect", "suspect"), []) == set()


def test_what_shares_a_flaw_or_was_judged_defective_shows_nothing_normal() -> None:
    assert normal_looking(table(*["accepted"] * 4, group=[0, 0, 1, 0]), []) == {1, 3}
    assert normal_looking(table(*["accepted"] * 4, verdict=["", "", "", "defective"]), []) == {1, 2}


def test_images_are_shown_in_the_order_of_their_rank(tmp_path: Path) -> None:
    with writing(Store(str(tmp_path)), "runs/caps-1"):
        pass
    found = FinishedRun(Run(Store(str(tmp_path)), "runs/caps-1"), "photographs")
    decisions = ["flagged", "suspect", "accepted", "flagged", "suspect"]
    raw = [0.9, 0.5, 0.1, 0.7, 0.6]
    vars(found).update(scores=pd.DataFrame({"rank": [3, 1, 5, 2, 4], "raw_score": raw, "decision": decisions}))
    assert found.ranked == [1, 3, 0, 4, 2]
    assert found.most_anomalous(Decision.FLAGGED) == [3, 0]
    assert found.most_anomalous(Decision.FLAGGED, Decision.SUSPECT) == [3, 0, 1, 4], "the graver decision first"


def test_worst_patch_is_that_of_the_compared_layer(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with writing(store, "runs/caps-1"):
        pass
    found = FinishedRun(Run(store, "runs/caps-1"), "photographs")
    layers = tuple(Layer(level, (rows, 2 * rows), 3) for level, rows in ((2, 8), (3, 4), (4, 2)))
    record = record_of(job_of(backbone=replace(job_of().backbone, layers=layers)))
    patch_scores = np.zeros((2, 8, 16), dtype=np.float32)
    patch_scores[0, 5, 12] = patch_scores[1, 7, 1] = 1
    vars(found).update(record=record, patch_scores=patch_scores)
    found_at = [worst_patch(record, scores, scores, (0.0, 0.0), listed=True) for scores in patch_scores]
    assert found_at == [2 * 8 + 6, 3 * 8 + 0]


def test_close_up_of_tiled_pictures_is_as_fine_as_their_tiles() -> None:
    record = record_of(job_of(settings=chosen(backbone="net", tile=64)))
    scores = np.zeros((40, 60), dtype=np.float32)
    scores[30, 50] = 1
    assert close_up_grid(record, (40, 60)) == (40, 60)
    assert worst_patch(record, scores, scores, (0.0, 0.0), listed=True) == 30 * 60 + 50


def test_place_of_a_score_by_position_is_that_of_the_score() -> None:
    layer = Layer(2, (40, 60), 3)
    net = replace(job_of().backbone, layers=(layer,))
    record = record_of(job_of(backbone=net, settings=chosen(backbone="net", image_score="position")))
    scores = np.zeros((40, 60), dtype=np.float32)
    scores[3, 3] = 1
    for peak, patch in (((50.5 / 60, 30.5 / 40), 30 * 60 + 50), ((1.0, 1.0), 40 * 60 - 1)):
        assert worst_patch(record, scores, scores, peak, listed=False) == patch
