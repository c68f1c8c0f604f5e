"""The picture of a comparison: where intervals and AUROCs stand, and that no name can break it."""

import re
from xml.etree import ElementTree

import pytest

from reports.tuning.comparison_picture import (
    CHARACTER,
    FIGURES,
    MARGIN,
    NARROW,
    WIDTH,
    comparison_picture,
    shown_choices,
)
from storage.products.tunings import ChoiceRow, Tuning

SVG = "{http://www.w3.org/2000/svg}"


def row(text: str, auroc: float, gain: float, half: float = 0.1) -> ChoiceRow:
    figures = {"auroc": auroc, "low": auroc - half, "high": min(1, auroc + half), "gain": gain, "gain_error": 0.01}
    return ChoiceRow(settings={}, text=text, found=3, false=1, cost=1.0, **figures)


def tuning(*rows: ChoiceRow, chosen: int = 0, category: str = "cap") -> Tuning:
    facts = {"time": "2026-11-28T12:00:00+00:00", "defective": 5, "good": 6, "proven": False, "selected": False}
    return Tuning(category=category, choices=rows, chosen=chosen, lots=(), **facts)


COMPARED = tuning(row("net", 0.7, 0.0), row("small", 0.6, -0.1), row("large", 0.9, 0.2), row("odd", 0.8, 0.1), chosen=3)


def test_in_use_and_found_come_first_then_those_of_the_highest_gain() -> None:
    assert shown_choices(COMPARED, 10) == [0, 3, 2, 1]
    assert shown_choices(COMPARED, 3) == [0, 3, 2]
    assert shown_choices(tuning(row("net", 0.7, 0.0)), 3) == [0]


def test_bars_reach_from_end_to_end_of_the_intervals_and_dots_stand_at_the_aurocs() -> None:
    picture = ElementTree.fromstring(comparison_picture(COMPARED))
    dashed, *bars, _ = picture.findall(f"{SVG}line")
    low, width = 0.5, WIDTH - 2 * MARGIN  # 0.6 less 0.1 is the lowest

    def at(auroc: float) -> float:
        return pytest.approx(MARGIN + width * (auroc - low) / (1 - low), abs=0.06)

    assert float(dashed.get("x1", "")) == float(dashed.get("x2", "")) == at(0.7)
    for place, bar, dot in zip([0, 3, 2, 1], bars, picture.findall(f"{SVG}circle"), strict=True):
        shown = COMPARED.choices[place]
        assert (float(bar.get("x1", "")), float(bar.get("x2", ""))) == (at(shown.low), at(shown.high))
        assert float(dot.get("cx", "")) == at(shown.auroc)


def test_names_are_marked_and_escaped() -> None:
    named = comparison_picture(tuning(row("<b>&net", 0.7, 0.0), row("new", 0.8, 0.1), chosen=1, category="<script>"))
    texts = [text.text for text in ElementTree.fromstring(named).findall(f"{SVG}text")]
    assert texts[:4] == ["<b>&net (in use)", "0.700", "new (found)", "0.800"]
    assert not re.search("<script>|<b>", named)


def test_perfect_choices_have_an_axis() -> None:
    ElementTree.fromstring(comparison_picture(tuning(row("net", 1.0, 0.0, 0.0))))


def test_long_names_take_more_lines_in_a_narrow_picture_and_stay_beside_the_figures() -> None:
    name = "efficientnet-lite2, 512 × 512 pixels, degrees 1 and 3, image score by position"
    compared = tuning(row("net", 0.7, 0.0), row(name, 0.8, 0.1), chosen=1)
    wide, narrow = (ElementTree.fromstring(comparison_picture(compared, width=width)) for width in (WIDTH, NARROW))
    assert float(narrow.get("width", "")) == NARROW
    assert float(narrow.get("height", "")) > float(wide.get("height", ""))
    texts = [text for text in narrow.iter("{http://www.w3.org/2000/svg}text") if text.get("text-anchor") is None]
    assert " ".join(text.text or "" for text in texts) == f"net (in use) {name} (found)"
    assert max(len(text.text or "") for text in texts) * CHARACTER <= NARROW - 2 * MARGIN - FIGURES
    assert len({text.get("y") for text in texts}) == len(texts)
