"""A person at the command line: photographs on a disk, commands as they are typed, and what they leave behind."""

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer
from PIL import Image
from typer.testing import CliRunner

from cli.main import app
from storage.results.runs import Run
from storage.store import Store

BASE: Mapping[str, Any] = {"backbone": "texture", "image_size": 64, "engine": "inline"}
PATIENCE_SECONDS = 60
AGAIN_SECONDS = 10
"""After which a command that goes on is told to stop again, as a person would."""
WIDTH, HEIGHT = 96, 64


def part(number: int, *, bad: bool = False, flaw: int = 0) -> Image.Image:
    """A photograph of a part, the same one for the same number; a flaw's number says where it is."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:HEIGHT, :WIDTH] / HEIGHT
    values = (110 + 40 * np.sin(6 * x) + 30 * np.cos(5 * y))[..., None] + rng.normal(0, 6, (HEIGHT, WIDTH, 3))
    if bad:
        values[20:32, 24 + flaw : 40 + flaw] = (250, 30, 30)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def draw(folder: Path, numbers: Iterator[int] | range, bad: tuple[int, ...] = ()) -> Path:
    """Photographs `<number>.png` of a folder, some of them bad."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        part(number, bad=number in bad, flaw=7 * number % 40).save(folder / f"{number}.png")
    return folder


def words_of(options: Mapping[str, Any]) -> list[str]:
    """Options as they are typed."""
    words: list[str] = []
    for name, value in options.items():
        typed = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{typed}" if value else f"--no-{typed}")
        elif value is not None:
            for one in value if isinstance(value, list) else [value]:
                words += [f"--{typed}", str(one)]
    return words


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    output: str

    @cached_property
    def folder(self) -> Path:
        """The run that it names at its end."""
        assert self.code == 0, self.output
        return Path(re.findall(r"^Results in (.*)$", self.output, re.MULTILINE)[-1])

    @cached_property
    def record(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "run.json").read_text()))

    @cached_property
    def table(self) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "scores.parquet").set_index("path").sort_index()

    @property
    def raw(self) -> list[float]:
        return [round(score, 6) for score in self.table["raw_score"]]

    @cached_property
    def outside(self) -> np.ndarray:
        """Bool (N, P), patches that were not scored, by the order of the listing."""
        run = Run(Store(str(self.folder.parents[1])), f"runs/{self.folder.name}")
        return np.isnan(run.patch_scores()).reshape(len(self.table), -1)

    def refused(self, *texts: str) -> None:
        """The command was refused in one sentence that holds these texts."""
        assert self.code == 2, self.output
        error = next(line for line in self.output.splitlines() if line.startswith("error: "))
        assert all(text in error for text in texts), error


@dataclass
class Walk:
    """A folder of photographs, and the commands given there, each once."""

    place: Path
    known: dict[tuple[str, ...], Ran] = field(default_factory=dict)
    seen: dict["Line", BaseException | None] = field(default_factory=dict)
    """What came of each line, which is walked once for all the options it is about."""

    def __post_init__(self) -> None:
        draw(self.place / "lot", range(1, 11), bad=(9, 10))
        draw(self.place / "lot" / "below", range(11, 13))
        (self.place / "lot" / "notes.txt").write_text("no photograph")
        draw(self.place / "one", range(20, 21), bad=(20,))
        draw(self.place / "good", range(30, 39))
        Image.new("L", (WIDTH, HEIGHT)).save(self.place / "mask.png")
        with Image.open(self.place / "mask.png") as mask:
            mask.paste(255, (0, 0, WIDTH // 2, HEIGHT))
            mask.save(self.place / "mask.png")
        for image in (self.place / "lot").rglob("*.png"):
            to = self.place / "masks" / image.relative_to(self.place / "lot")
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes((self.place / "mask.png").read_bytes())

    def look(self, at: "Line") -> None:
        """Walk a line, or say again what came of it."""
        if at not in self.seen:
            try:
                at(self)
                self.seen[at] = None
            except Exception as error:
                self.seen[at] = error
        if error := self.seen[at]:
            raise error

    def musc(self, *words: str, anew: bool = False) -> Ran:
        """Give a command; one given before has its result already, unless it is to be given anew."""
        if anew or words not in self.known:
            done = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
            self.known[words] = Ran(done.exit_code, done.output)
        return self.known[words]

    def command(self, *arguments: str, **options: Any) -> Ran:
        """A command with options beside or instead of the usual ones."""
        given = {"output": str(self.place / "store"), **BASE, **options}
        return self.musc(*arguments, *words_of(given))

    def score(self, folder: str = "lot", **options: Any) -> Ran:
        return self.command("score", str(self.place / folder), **options)

    def plan(self, **options: Any) -> dict[str, str]:
        """The rows that `musc plan` prints."""
        done = self.command("plan", str(self.place / "lot"), **options)
        assert done.code == 0, done.output
        return dict(re.findall(r"^│ (.*?) +│ (.*?) +│$", done.output, re.MULTILINE))

    def watch(self, folder: str, count: int = 1, act: Callable[[], None] = lambda: None, **options: Any) -> Ran:
        """Watch a folder until so many rows are there; `act` is called once the first is."""
        given = {"output": str(self.place / f"{folder}-store"), **BASE, **options}
        del given["engine"]
        done = threading.Event()
        rows = Path(given["output"])

        def end() -> None:
            before, acted = time.monotonic(), False
            while not done.wait(0.1):
                there = len(list(rows.glob("watch/*/scores/*.parquet")))
                if there and not acted:
                    act()
                    acted = True
                # Before the command has its handler, the signal would end the tests.
                listens = getattr(signal.getsignal(signal.SIGTERM), "__qualname__", "").startswith("act_on_signals")
                if listens and (there >= count or time.monotonic() - before > PATIENCE_SECONDS):
                    os.kill(os.getpid(), signal.SIGTERM)
                    done.wait(AGAIN_SECONDS)

        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        waiting = threading.Thread(target=end)
        waiting.start()
        try:
            return self.musc("watch", str(self.place / folder), *words_of(given))
        finally:
            done.set()
            waiting.join()
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def rows(self, folder: str) -> pd.DataFrame:
        """What a watch wrote."""
        (scores,) = (self.place / f"{folder}-store").glob("watch/*/scores")
        return pd.read_parquet(scores)


Line = Callable[[Walk], None]
LINES: dict[tuple[str, str], Line] = {}
"""What is looked at for each option of each command."""


def line(command: str, *options: str) -> Callable[[Line], Line]:
    """The line of a command's options."""

    def add(function: Line) -> Line:
        for name in options:
            assert (command, name) not in LINES, (command, name)
            LINES[command, name] = function
        return function

    return add


def options_of_commands() -> list[tuple[str, str]]:
    """Every option and argument of every command, from what help is made of."""

    def found(command: Any, name: str) -> Iterator[tuple[str, str]]:
        for below, one in getattr(command, "commands", {}).items():
            yield from found(one, f"{name} {below}".strip())
        if not hasattr(command, "commands"):
            yield from ((name, parameter.name) for parameter in command.params)

    return list(found(typer.main.get_command(app), ""))
