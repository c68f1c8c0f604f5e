"""Sentences of records and errors, which are written in English, are known again and translated."""

import re

import numpy as np
import pytest

from musc.decisions.decide_images import decide_images
from musc.settings import Decisions
from reports.languages.catalogue import NAMES, SENTENCE, catalogue
from reports.languages.current import speaking
from reports.languages.sentences import pattern_of, translated
from storage.products.accepted_thresholds import AcceptedThreshold

LOTS = {
    "all the same": (np.full(20, 0.001), Decisions()),
    "one image": (np.array([0.4]), Decisions()),
    "few images": (np.linspace(0.2, 0.4, 5), Decisions()),
    "two groups": (np.r_[np.linspace(0.2, 0.21, 30), np.linspace(0.6, 0.62, 25)], Decisions()),
    "beyond the budget": (np.r_[np.linspace(0.2, 0.22, 40), np.linspace(0.6, 0.9, 8)], Decisions(review_budget=2)),
    "many above a threshold": (np.linspace(0.2, 0.4, 20), Decisions(threshold=0.1)),
    "nothing stands out": (np.linspace(0.2, 0.22, 60), Decisions()),
}


def said_of(name: str) -> list[str]:
    """What the rule says of a lot."""
    decided = decide_images(*LOTS[name])
    return [*decided.warnings, *([decided.rule.remark] if decided.rule.remark else [])]


@pytest.mark.parametrize("name", LOTS)
@pytest.mark.parametrize("code", [code for code in NAMES if code != "en"])
def test_what_the_rule_says_of_a_lot_is_translated_with_its_values(name: str, code: str) -> None:
    sentences = said_of(name)
    assert sentences, "the lot is one of which something is said"
    for english in sentences:
        with speaking(code):  # type: ignore[arg-type]
            shown = translated(english)
        assert shown != english
        assert re.search(r"\b(the|image|images|was|scored|is)\b", shown) is None, shown
        numbers = re.findall(r"\d+", english)
        assert sorted(numbers) == sorted(re.findall(r"\d+", shown)) or code == "zh"


def test_parts_of_a_sentence_are_translated_too() -> None:
    chosen = AcceptedThreshold("cap", 0.25, "", "", "Ann", 3, 4, time="2026-11-28T12:00:00+00:00")
    with speaking("de"):
        shown = translated(chosen.text)
    assert shown.startswith("die Schwelle 0,2500 von cap, übernommen von Ann am 2026-11-28")
    assert shown.endswith("Beurteilungen von 3 fehlerhaften und 4 guten Aufnahmen")


def test_sentences_that_nobody_knows_stay_as_they_are() -> None:
    for text in ("", "disk quota exceeded: 100 %", "<b>%(name)s</b> %s %", "a.png"):
        with speaking("de"):
            assert translated(text) == text


@pytest.mark.parametrize("code", [code for code in NAMES if code != "en"])
def test_every_sentence_is_known_again_by_its_own_message_alone(code: str) -> None:
    """Each message, filled with names that stand in no other, is translated by its own translation."""
    known = catalogue(code)  # type: ignore[arg-type]
    assert known.sentences, SENTENCE
    for message in known.sentences:
        names = re.findall(r"%\((\w+)\)s", message)
        values = {name: f"Qx{number}" for number, name in enumerate(names)}
        with speaking(code):  # type: ignore[arg-type]
            assert translated(message % values) == known.text(message) % values
        assert pattern_of(message).fullmatch(message % values)
