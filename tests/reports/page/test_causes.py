"""Causes in words: where a place lies, how large it is, how it differs; they are stored and read as they were."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw

from reports.languages.current import speaking
from reports.page.causes import PLACES, Cause, CauseFacts, Causes, causes_path, read_causes, write_causes
from reports.page.find_causes import cause_of, or_none, outlined_size
from reports.page.matches import Match
from reports.page.place_differences import Difference
from reports.page.place_on_part import COLUMNS, ROWS, part_of, small_picture, third
from storage.artefacts import writing
from storage.images.lots import ListedImage
from storage.results.runs import Run
from storage.store import Store

DARKER = Difference("brightness", -20.0, 2.0)


def parts(*corners: tuple[int, int]) -> list[np.ndarray]:
    """Photographs of a dark part of 40 x 30 pixels on a light ground, by the part's upper left corner."""
    pictures = []
    for number, (x, y) in enumerate(corners):
        noise = np.random.default_rng(number).normal(200, 3, (80, 100, 3)).clip(0, 255).astype(np.uint8)
        picture = Image.fromarray(noise)
        ImageDraw.Draw(picture).rectangle((x, y, x + 39, y + 29), fill=(40, 60, 40))
        pictures.append(small_picture(picture))
    return pictures


def test_part_of_photographs_that_lie_alike_is_its_box() -> None:
    part = part_of(parts((10, 40), (11, 40), (10, 41), (10, 40), (9, 40)))
    assert part is not None
    np.testing.assert_allclose(part, (0.1, 0.5, 0.5, 0.875), atol=0.04)


@pytest.mark.parametrize(
    "pictures",
    [
        parts((10, 40), (50, 5), (5, 5), (55, 45), (30, 20)),
        parts(*[(10, 40)] * 3),
        [np.full((64, 64, 3), 90.0)] * 5,
        list(np.random.default_rng(0).uniform(0, 255, (5, 64, 64, 3))),
    ],
    ids=["lie about", "too few", "nothing but ground", "texture"],
)
def test_part_is_unknown_where_photographs_do_not_show_it_alike(pictures: list[np.ndarray]) -> None:
    assert part_of(pictures) is None


def test_thirds_are_those_of_the_part_or_else_of_the_photograph() -> None:
    assert third(0.5, 0.5, None) == ("middle", "middle")
    assert third(0.5, 0.5, (0.4, 0.0, 1.0, 0.6)) == ("lower", "left")
    assert third(0.0, 1.0, (0.4, 0.2, 0.6, 0.6)) == ("lower", "left"), "beside the part is at its border"
    assert set(PLACES) == {(f"{row} {column}", of) for row in ROWS for column in COLUMNS for of in (True, False)}


def test_size_is_that_of_the_box_that_holds_the_worst_place() -> None:
    rows = [(0, 0, 5, 5, 0.9), (10, 10, 8, 6, 0.5), (12, 9, 3, 4, 0.7)]
    boxes = pd.DataFrame(rows, columns=["x", "y", "width", "height", "peak_score"])
    assert outlined_size(boxes, 17, 15) == (8, 6)
    assert outlined_size(boxes, 12, 10) == (3, 4), "of several the one with the highest peak"
    assert outlined_size(boxes, 50, 50) == (5, 5), "beside all of them the most anomalous"
    assert outlined_size(boxes[:0], 0, 0) is None


def test_cause_says_place_size_and_differences() -> None:
    image = ListedImage("id", "a.png", "", 90, 90, "ok", "")
    boxes = pd.DataFrame([("id", 60, 5, 21, 9, 0.5)], columns=["image_id", "x", "y", "width", "height", "peak_score"])
    middle = (70.5 / 90, 8.5 / 90)
    found = cause_of(middle, image, boxes, None, [DARKER], None)
    place = "The outlined place is 21 × 9 pixels large, at the upper right of the photograph."
    assert found.text == f"{place} Darker by 20 grey levels."
    found = cause_of(middle, image, boxes, (0.5, 0.0, 1.0, 0.2), None, 0.05)
    assert found.text == "The outlined place is 1.1 × 0.45 mm large, in the middle of the part."
    found = cause_of(middle, image, boxes[:0], None, [], 0.05)
    assert found.where == "The worst place is at the upper right of the photograph."
    assert found.measured == ["No measured difference in brightness, colour, roughness or edges stands out."]


@pytest.mark.parametrize(("code", "words"), [("de", "1,1 × 0,45 mm groß und liegt in der Mitte"), ("zh", "毫米")])
def test_cause_is_said_in_the_language_spoken(code: str, words: str) -> None:
    with speaking(code):  # type: ignore[arg-type]
        assert words in Cause("middle middle", True, (21, 9), 0.05).text


def test_causes_are_read_as_they_were_written(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with writing(store, "runs/a"):
        pass
    run = Run(store, "runs/a")
    assert read_causes(run) == Causes(), "nothing is known of a run without them"
    every = Cause("upper left", True, (3, 4), 0.1, (DARKER,))
    other = Cause("lower middle", True, None, 0.1, None)
    known = Causes(
        {"a": every, "b": other}, {"a": [Match(3, 7, 0.5)], "b": []}, CauseFacts(pixel_size=0.1, part=(0, 0, 1, 0.5))
    )
    with writing(store, causes_path(run.path)) as staging:
        staging.facts.update(known.facts.model_dump(mode="json"))
        write_causes(store, staging.path, known, {"a": "a.png", "b": "b.png"})
    assert read_causes(run) == known


def test_an_error_while_measuring_costs_the_words_only(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> int:
        raise ZeroDivisionError("no pixels")

    assert or_none(fail) is None
    assert "no pixels" in caplog.text
