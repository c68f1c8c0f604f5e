"""Progress of a run: bars on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cli.terminal.escaping import visible
from cli.terminal.waiting import waiting
from tasks.runtime.progress import Listener, StageProgress, listening

LINE_SECONDS = 10.0
"""Least time between two plain lines of one stage."""
QUIET_SECONDS, LONGEST_QUIET = 15.0, 300.0
"""Of several lots: how long nothing is said of a lot's stages, twice as long after each line, and the longest."""

PLAIN_WIDTH = 120
"""Columns where the output is no terminal, such as a file or a job's log."""

console = Console(emoji=False)  # `:100:` may be part of a name
if not console.is_terminal:
    console = Console(emoji=False, width=PLAIN_WIDTH)


@contextmanager
def watching(*, several_lots: bool = False) -> Iterator[None]:
    """Show the progress of every stage while the `with` block lasts; of several lots only what takes long."""
    with ExitStack() as stack:
        waiting_lines = stack.enter_context(waiting(say, several_lots=several_lots))
        if console.is_terminal:
            shown: Listener = Bars(stack.enter_context(bars_on(console, several_lots)))
        else:
            shown = SparseLines() if several_lots else PlainLines()
        on_hint = None if several_lots else say_hint  # a night says each hint once, at its end
        stack.enter_context(listening(waiting_lines.until_progress(shown), waiting_lines.doing, on_hint))
        waiting_lines.doing("loading libraries …", at_once=False)
        yield


def print_line(text: str) -> None:
    """Print a line that may hold any name or path: in one piece, and nothing in it takes effect."""
    console.print(visible(text), soft_wrap=True, markup=False, highlight=False, emoji=False)


def bars_on(screen: Console, several_lots: bool = False) -> Progress:
    """Bars for a terminal; names of lots stand there as they are, neither markup nor emoji."""
    return Progress(
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        console=screen,
        transient=several_lots,
    )


def say(text: str) -> None:
    """A line of its own with the time: beside the results where these go to a file, above the bars on a terminal."""
    print(f"{time.strftime('%H:%M:%S')} {visible(text)}", file=sys.stderr, flush=True)


def say_hint(text: str) -> None:
    """A hint as a line of its own."""
    say(f"hint: {text}")


class Rate:
    """Units per second of one stage, counted from its first report; reused units took no time."""

    def __init__(self) -> None:
        self.current: dict[str, tuple[StageProgress, float]] = {}

    def begins(self, progress: StageProgress) -> bool:
        """Whether this is the first report of its stage, which a benchmark runs once for every category."""
        previous = self.current.get(progress.stage)
        if previous and previous[0] is progress:
            return False
        self.current[progress.stage] = progress, time.monotonic()
        return True

    def text(self, progress: StageProgress) -> str:
        """Such as `12.3 images/s`; empty before anything was done, and for stages of few long units."""
        _, began = self.current[progress.stage]
        fresh, seconds = progress.done - progress.reused, time.monotonic() - began
        if progress.stage != "extract" or not fresh or seconds <= 0:
            return ""
        return f"{fresh / seconds:.1f} {progress.unit}/s"


def title(progress: StageProgress) -> str:
    """Such as `extract candle`."""
    return visible(f"{progress.stage} {progress.subject}".rstrip())


class Bars:
    """One bar per stage."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.rate = Rate()
        self.ids: dict[str, TaskID] = {}

    def __call__(self, progress: StageProgress) -> None:
        if not progress.total:
            return
        begins = self.rate.begins(progress)
        if progress.stage not in self.ids:
            self.ids[progress.stage] = self.bars.add_task(progress.stage, total=progress.total, unit="", rate="")
        elif begins:
            self.bars.reset(self.ids[progress.stage], total=progress.total)
        self.bars.update(
            self.ids[progress.stage],
            description=title(progress),
            completed=progress.done,
            unit=progress.unit,
            rate=self.rate.text(progress),
        )


class PlainLines:
    """One line at the start and the end of each stage, and one every few seconds between."""

    def __init__(self) -> None:
        self.rate = Rate()
        self.last: dict[str, tuple[float, int]] = {}

    def __call__(self, progress: StageProgress) -> None:
        now = time.monotonic()
        fresh = (now - LINE_SECONDS, -1)
        last_time, last_count = fresh if self.rate.begins(progress) else self.last.get(progress.stage, fresh)
        due = progress.done == progress.total or now - last_time >= LINE_SECONDS
        if not progress.total or progress.done == last_count or not due:
            return
        self.last[progress.stage] = now, progress.done
        say(line_of(progress, self.rate.text(progress)))


class SparseLines:
    """Of several lots: one line as each begins, and one of its stages where nothing was said for long."""

    def __init__(self) -> None:
        self.rate = Rate()
        self.last_time, self.quiet = time.monotonic(), QUIET_SECONDS

    def __call__(self, progress: StageProgress) -> None:
        self.rate.begins(progress)
        now = time.monotonic()
        if progress.stage == "night":
            say(f"{progress.subject}: lot {progress.done + 1} of {progress.total}")
            self.last_time, self.quiet = now, QUIET_SECONDS
        elif progress.total and now - self.last_time >= self.quiet:
            say(line_of(progress, self.rate.text(progress)))
            self.last_time, self.quiet = now, min(2 * self.quiet, LONGEST_QUIET)


def line_of(progress: StageProgress, rate: str) -> str:
    """Such as `extract candle: 30 of 72 images, 8 from the store, 2.5 images/s`."""
    reused = f", {progress.reused} from the store" if progress.reused else ""
    done = f"{progress.done} of {progress.total} {progress.unit}"
    return f"{title(progress)}: {done}{reused}{', ' + rate if rate else ''}"
