"""Every option of every command is given at the command line, and what the documents promise of it is looked at.

The list of options is that of the help, so a new option fails here until it has a line (`tests/walk/lines_of_*.py`).
"""

import json
import os
import pty
from collections.abc import Iterator
from pathlib import Path

import pytest

from planning.estimates import timed_trials
from tests.forking import ForkServer
from tests.walk import (
    lines_of_flaws,
    lines_of_lots,
    lines_of_others,
    lines_of_plan,
    lines_of_score,
    lines_of_tune,
    lines_of_watch,
)
from tests.walk.walk import LINES, Walk, options_of_commands, words_of

OPTIONS = options_of_commands()
ROOT = Path(__file__).resolve().parents[2]
LINES_FROM = (
    lines_of_flaws,
    lines_of_lots,
    lines_of_others,
    lines_of_plan,
    lines_of_score,
    lines_of_tune,
    lines_of_watch,
)
"""Modules whose lines are known once they are imported."""
TOGETHER = {
    **{"backbone": "texture", "image_size": 64, "layers": "0,1", "degrees": ["1", "3"], "threshold": 0.3},
    **{"maps": ["png", "tiff"], "export": "csv,coco,labelstudio", "store_aggregated": True, "category": "cap"},
}
"""Options that start every stage of a lot."""
MADE = (
    "scores.csv",
    "coco.json",
    "labelstudio.json",
    "9.png.overlay.png",
    "9.png.mask.png",
    "9.png.tiff",
    "report.html",
)
"""Files that they promise."""


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One person's photographs and commands, for all options; runs that several lines look at are made once."""
    place: Path = tmp_path_factory.mktemp("walk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(place / "prefect"))
        for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "MUSC_WEBHOOK"):
            patch.delenv(name, raising=False)
        patch.setattr(timed_trials, "TRIAL_SECONDS", 0.05)  # of every plan; no line is about its seconds
        patch.chdir(place)
        yield Walk(place)


@pytest.mark.parametrize(("command", "name"), OPTIONS, ids=["--".join(option) for option in OPTIONS])
def test_option_does_what_is_said_of_it(command: str, name: str, walk: Walk) -> None:
    assert (command, name) in LINES, f"write a line for {name} of musc {command} in tests/walk"
    walk.look(LINES[command, name])


def test_no_line_is_about_an_option_that_is_gone() -> None:
    assert set(LINES) - set(OPTIONS) == set()


def made_by(walk: Walk, forks: ForkServer, store: str, *more: str, **variables: str) -> tuple[str, dict[str, object]]:
    """Score the lot on a terminal, in a process of its own: what was shown, and the run's record."""
    words = ["score", str(walk.place / "lot"), "--output", str(walk.place / store), *words_of(TOGETHER), *more]
    screen, terminal = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "TERM": "xterm", **variables}
    started = forks.start(["-m", "cli", *words], cwd=walk.place, env=environment, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    try:
        while part := os.read(screen, 65536):
            shown += part
    except OSError:  # the other end is closed: the process has ended
        pass
    os.close(screen)
    assert started.wait() == 0, shown.decode(errors="replace")
    (run,) = (walk.place / store / "runs").iterdir()
    names = {path.name for path in run.rglob("*.*")}
    assert set(MADE) <= names, shown.decode(errors="replace")
    return shown.decode(errors="replace"), json.loads((run / "run.json").read_text())


def test_all_stages_are_shown_as_bars_on_a_terminal_and_write_their_files(walk: Walk, forks: ForkServer) -> None:
    shown, _ = made_by(walk, forks, "terminal", "-v")
    for stage in (
        "extract",
        "aggregate",
        "score",
        "groups",
        "rescore",
        "profile",
        "causes",
        "report",
        "maps",
        "export",
    ):
        assert stage in shown
    assert "━" in shown
    assert "INFO" in shown
    assert "progress is no longer shown" not in shown


def test_all_stages_run_as_prefect_tasks_and_write_the_same_files(
    walk: Walk, forks: ForkServer, prefect_server: str
) -> None:
    shown, record = made_by(walk, forks, "prefect", PREFECT_API_URL=prefect_server)
    assert f"{prefect_server} shows them" in shown.replace("\r\n", "")
    assert record["job"]["allocation"]["engine"]["name"] == "threads"  # type: ignore[index]
