"""The catalogues: every message of the code is translated, with its values, and nothing else is in them."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from reports.languages.catalogue import NAMES, catalogue

ROOT = Path(__file__).resolve().parents[3]
TRANSLATED = [code for code in NAMES if code != "en"]
VALUE = re.compile(r"%\(\w+\)s|%%|%(?!\()")
MARKUP = re.compile(r"</?(?:b|code|span|bdi|time|a)\b[^>]*>")


@pytest.fixture(scope="module")
def extraction() -> dict[str, Any]:
    """The program that takes the messages out of the code."""
    program = ROOT / "docs" / "languages.py"
    made: dict[str, Any] = {"__name__": "languages", "__file__": str(program)}
    exec(compile(program.read_text("utf-8"), "languages.py", "exec"), made)
    made["found_messages"] = cache(made["found_messages"])  # for all languages the same
    return made


@cache
def messages(code: str) -> list[Message]:
    """Every message of a language's file."""
    with (ROOT / "reports" / "languages" / "catalogues" / f"{code}.po").open("rb") as file:
        read = read_po(file, locale=code)
    assert not read.obsolete, "run python docs/languages.py"
    return [message for message in read if message.id]


def forms(text: Any) -> list[str]:
    """The forms of a message or of its translation."""
    return [text] if isinstance(text, str) else list(text)


@pytest.mark.parametrize("code", TRANSLATED)
def test_catalogue_holds_exactly_the_messages_of_the_code(code: str, extraction: dict[str, Any]) -> None:
    in_code = {message.id for message in extraction["found_messages"]() if message.id}
    assert in_code == {message.id for message in messages(code)}, "run python docs/languages.py"


@pytest.mark.parametrize("code", TRANSLATED)
def test_catalogue_is_written_as_the_program_writes_it(code: str, extraction: dict[str, Any]) -> None:
    path = ROOT / "reports" / "languages" / "catalogues" / f"{code}.po"
    assert extraction["written"](extraction["updated"](code)) == path.read_bytes(), "run python docs/languages.py"


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_message_is_translated_and_none_is_in_doubt(code: str) -> None:
    assert [one.id for one in messages(code) if one.fuzzy or not all(forms(one.string))] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_have_the_values_and_the_markup_of_their_message(code: str) -> None:
    for message in messages(code):
        for kind in (VALUE, MARKUP):
            wanted = {tuple(sorted(set(kind.findall(form)))) for form in forms(message.id)}
            for form in forms(message.string):
                assert tuple(sorted(set(kind.findall(form)))) in wanted, message.id


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_are_no_english(code: str) -> None:
    same = {one.id for one in messages(code) if forms(one.string) == forms(one.id)}
    assert same <= {"AUROC", "Name", "Export", "Heatmap", "Status", "%(thresholds)s.", "%(number)s %%", "%(said)s."}


def test_chinese_is_written_in_chinese() -> None:
    without = [one.id for one in messages("zh") if not re.search("[一-鿿]", "".join(forms(one.string)))]
    assert set(without) <= {"AUROC", "%(number)s %%", "%(part)s of %(all)s", "%(thresholds)s.", "%(said)s."} | {
        '%(count)s <span class="quiet small">of %(images)s</span>',
        "%(runs)s in %(nights)s",
    }


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_form_of_a_count_is_used(code: Any) -> None:
    read = catalogue(code)
    for message in messages(code):
        if not isinstance(message.id, str):
            used = {read.counted_text(message.id[0], message.id[1], count) for count in (0, 1, 2, 5)}
            assert used == set(forms(message.string)), message.id
