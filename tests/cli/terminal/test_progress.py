"""Progress as a person sees it: plain lines in a log, bars on a terminal."""

import io
import re

import pytest
from rich.console import Console
from rich.progress import Progress

from cli.terminal import progress
from cli.terminal.progress import LINE_SECONDS, Bars, PlainLines, bars_on
from tasks.runtime.progress import StageProgress


class Clock:
    """Stands still until it is told otherwise."""

    seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def strftime(self, form: str) -> str:
        return "12:00:00"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of progress lines."""
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_plain_lines_at_start_and_end(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines, stage = PlainLines(), StageProgress("score", 12, "shards")
    lines(stage)
    for number in range(12):
        stage.done_by_spec[str(number)] = 1
        lines(stage)
    assert said(capsys) == ["12:00:00 score: 0 of 12 shards", "12:00:00 score: 12 of 12 shards"]


def test_plain_lines_every_few_seconds_between(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines, stage = PlainLines(), StageProgress("score", 12, "shards")
    lines(stage)
    for done in range(1, 7):
        clock.seconds += LINE_SECONDS / 2
        stage.done_by_spec["a"] = done
        lines(stage)
    assert [line.split()[2] for line in said(capsys)] == ["0", "2", "4", "6"]


def test_plain_lines_say_what_came_from_the_store(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    PlainLines()(StageProgress("extract", 72, "images", reused=72))
    assert said(capsys) == ["12:00:00 extract: 72 of 72 images, 72 from the store"]


def test_plain_lines_say_nothing_twice(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines, stage = PlainLines(), StageProgress("score", 4, "shards", reused=4)
    lines(stage)
    lines(stage)
    assert len(said(capsys)) == 1


def test_plain_lines_say_nothing_of_an_empty_stage(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    PlainLines()(StageProgress("aggregate", 0, "parts"))
    assert said(capsys) == []


def test_plain_lines_of_the_next_category_are_said_too(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines()
    for _ in range(2):
        lines(StageProgress("score", 4, "shards", reused=4))
    assert said(capsys) == ["12:00:00 score: 4 of 4 shards, 4 from the store"] * 2


def test_plain_lines_give_the_rate_of_fresh_images(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines, stage = PlainLines(), StageProgress("extract", 30, "images", reused=10)
    lines(stage)
    clock.seconds += 8
    stage.done_by_spec["a"] = 20
    lines(stage)
    assert said(capsys)[-1] == "12:00:00 extract: 30 of 30 images, 10 from the store, 2.5 images/s"


def test_plain_lines_count_the_rate_of_each_category_anew(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines()
    for seconds in (100, 4):
        stage = StageProgress("extract", 20, "images")
        lines(stage)
        clock.seconds += seconds
        stage.done_by_spec["a"] = 20
        lines(stage)
    assert said(capsys)[-1].endswith("5.0 images/s")


def drawn(bars: Progress) -> str:
    """The bars as text."""
    screen = Console(file=io.StringIO(), width=100, force_terminal=False)
    with screen.capture() as shown:
        screen.print(bars.get_renderable())
    return re.sub(r"\s+", " ", shown.get())


def test_bars_one_for_each_stage(clock: Clock) -> None:
    bars = bars_on(Console(file=io.StringIO(), width=120, emoji=False))
    show = Bars(bars)
    show(StageProgress("extract", 72, "images", reused=8))
    show(StageProgress("score", 4, "shards"))
    show(StageProgress("aggregate", 0, "parts"))
    shown = [(task.description, task.completed, task.total, task.fields["unit"]) for task in bars.tasks]
    assert shown == [("extract", 8, 72, "images"), ("score", 0, 4, "shards")]
    assert "extract" in drawn(bars)


def test_bars_follow_a_stage(clock: Clock) -> None:
    bars = bars_on(Console(file=io.StringIO(), width=120, emoji=False))
    show, stage = Bars(bars), StageProgress("extract", 40, "images")
    show(stage)
    clock.seconds += 4
    stage.done_by_spec["a"] = 30
    show(stage)
    assert (bars.tasks[0].completed, bars.tasks[0].fields["rate"]) == (30, "7.5 images/s")


def test_bars_of_the_next_category_start_over(clock: Clock) -> None:
    bars = bars_on(Console(file=io.StringIO(), width=120, emoji=False))
    show, stage = Bars(bars), StageProgress("score", 4, "shards")
    show(stage)
    stage.done_by_spec["a"] = 4
    show(stage)
    assert bars.tasks[0].finished
    show(StageProgress("score", 4, "shards"))
    (only,) = bars.tasks
    assert (only.completed, only.total, only.finished) == (0, 4, False)


def test_bars_show_markup_and_emoji_codes_in_categories_literally(clock: Clock) -> None:
    bars = bars_on(Console(file=io.StringIO(), width=120, emoji=False))
    Bars(bars)(StageProgress("score", 4, "shards", subject="[red]cap[/] :100: \x1b[31m"))
    assert r"score [red]cap[/] :100: \x1b[31m" in drawn(bars)


def test_plain_lines_name_the_category(capsys: pytest.CaptureFixture[str]) -> None:
    PlainLines()(StageProgress("score", 4, "shards", subject="candle"))
    assert " score candle: 0 of 4 shards" in capsys.readouterr().err
