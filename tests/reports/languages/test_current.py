"""The language that is spoken, its messages, numbers and dates."""

import threading
from contextvars import copy_context

import pytest

from reports.languages.current import gettext, language, language_tag, ngettext, speaking
from reports.languages.numbers import day, local_moment, moment, number, short_day
from reports.sentences import counted


def test_english_is_spoken_unless_another_language_is() -> None:
    assert language() == "en"
    with speaking("zh"):
        assert (language(), language_tag()) == ("zh", "zh-Hans")
        with speaking("de"):
            assert language() == "de"
        assert language() == "zh"
    assert gettext("All nights") == "All nights"


def test_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="language must be one of en, de, zh, got 'xx'"), speaking("xx"):  # type: ignore[arg-type]
        pass


def test_language_of_one_thread_is_not_that_of_another() -> None:
    heard = []
    with speaking("de"):
        context = copy_context()
        for target in (lambda: heard.append(language()), lambda: heard.append(context.run(language))):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert heard == ["en", "de"]


def test_message_without_translation_stays_english() -> None:
    with speaking("de"):
        assert gettext("nobody wrote %(this)s", this=1) == "nobody wrote 1"
        assert ngettext("%(n)s thing nobody wrote", "%(n)s things nobody wrote", 2, n=2) == "2 things nobody wrote"


@pytest.mark.parametrize(("code", "one", "many"), [("en", "1 image", "1,200 images"), ("de", "1 Bild", "1.200 Bilder")])
def test_counts_take_the_form_and_the_separators_of_the_language(code: str, one: str, many: str) -> None:
    with speaking(code):  # type: ignore[arg-type]
        assert (counted(1, "image"), counted(1200, "image")) == (one, many)


def test_chinese_has_one_form_for_every_count() -> None:
    with speaking("zh"):
        assert (counted(1, "night"), counted(1200, "night")) == ("1 晚", "1,200 晚")


def test_numbers_and_dates_are_written_as_in_german() -> None:
    with speaking("de"):
        assert (number(1234.5, ",.2f"), number(-0.5, ".4f")) == ("1.234,50", "-0,5000")
        assert (day("2026-11-21"), short_day("2026-11-21"), day("no date")) == ("21.11.2026", "21.11.", "no date")
        assert moment("2026-11-21T04:05:06+00:00") == "21.11.2026 04:05 UTC"


def test_numbers_and_dates_are_written_as_in_chinese() -> None:
    with speaking("zh"):
        assert (number(1234.5, ",.2f"), day("2026-11-21"), short_day("2026-11-21")) == (
            "1,234.50",
            "2026年11月21日",
            "11月21日",
        )


def test_local_time_keeps_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    english = local_moment("2026-11-21T04:05:06+00:00")
    with speaking("de"):
        assert local_moment("2026-11-21T04:05:06+00:00").split()[-1] == english.split()[-1]
