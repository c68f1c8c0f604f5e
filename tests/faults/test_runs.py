"""Two runs at once, a run taken up with other settings, a clock that goes back, a Prefect that remembers nothing."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.killing import Command, complete, results

FAKETIME = Path("/usr/lib") / f"{os.uname().machine}-linux-gnu" / "faketime" / "libfaketime.so.1"
DAY_SECONDS = 86_400

MEETING = """
import sys, time
from pathlib import Path
from tasks import extract

door, name, write_features = Path(sys.argv[1]), sys.argv[2], extract.write_features

def meet(*given):
    (door / name).touch()
    deadline = time.monotonic() + 200
    while len(list(door.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    write_features(*given)

extract.write_features = meet
sys.argv = ["musc", *sys.argv[3:]]
from cli.main import main
main()
"""
"""The command in a process that extracts only when another one is about to extract the same block."""


def test_two_runs_of_a_lot_at_once_end_with_the_same_results(
    command: Command, undisturbed: Any, tmp_path: Path
) -> None:
    door, output = tmp_path / "door", tmp_path / "store"
    door.mkdir()
    both = [command.start(output, program=("-c", MEETING, str(door), name)) for name in ("one", "other")]
    for process in both:
        command.finish(process)
    assert sorted(path.name for path in door.iterdir()) == ["one", "other"]
    assert results(output) == undisturbed
    assert not list(output.glob("*/.partial-*"))


def test_run_taken_up_with_other_settings_reuses_what_they_share(
    score: Any, store: Path, undisturbed: Any, tmp_path: Path
) -> None:
    """As after a kill in scoring: features are there, the scores of one shard, and no run."""
    shutil.rmtree(store / "runs")
    shutil.rmtree(sorted((store / "patch_scores").iterdir())[0])
    before = complete(store)
    other = {"degrees": (1, 3), "rscin_windows": (1, 2)}
    score(store, **other)
    assert before.items() <= complete(store).items()
    assert len(complete(store, "features")) == len(complete(store.parent / "store", "features")) == 3
    assert len(complete(store, "patch_scores")) == 3, "the shard that was kept, and two at both degrees"
    alone = score(tmp_path / "alone", **other)
    assert results(store) == results(alone)
    assert results(store)["run"] != undisturbed["run"]


def test_clock_that_went_back_changes_nothing(
    command: Command, score: Any, undisturbed: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    """A run is killed on a machine whose clock is two days ahead, and goes on after the clock was set right."""
    if not FAKETIME.is_file():
        pytest.skip("libfaketime is not installed (Debian: apt-get install faketime)")
    with monkeypatch.context() as patch:
        patch.setenv("LD_PRELOAD", str(FAKETIME))
        patch.setenv("FAKETIME", "+2d")
        patch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        seen = subprocess.run(
            [sys.executable, "-c", "import time; print(time.time())"], stdout=subprocess.PIPE, check=True
        )
        assert float(seen.stdout) > time.time() + DAY_SECONDS
        command.kill_at("tasks.score.write_shard", 1, tmp_path)
    for file in tmp_path.rglob("*"):  # files are dated by the system, which the library cannot deceive
        os.utime(file, (file.stat().st_mtime + 2 * DAY_SECONDS,) * 2)
    before = complete(tmp_path)
    assert len(before) == 5
    score(tmp_path)
    assert before.items() <= complete(tmp_path).items()
    assert results(tmp_path) == undisturbed


def test_prefect_that_lost_its_database_does_nothing_twice(
    command: Command, store: Path, undisturbed: Any, new_database: Path, monkeypatch: Any, tmp_path: Path
) -> None:
    """A server of its own with an empty database knows nothing of the runs before; the run itself is gone too."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(new_database, home / "prefect.db")
    monkeypatch.setenv("PREFECT_HOME", str(home))
    monkeypatch.setenv("PREFECT_LOCAL_STORAGE_PATH", str(home / "results"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    shutil.rmtree(store / "runs")
    before = complete(store)
    said = command.finish(replace(command, server=None).start(store, "--engine", "threads"))
    with closing(sqlite3.connect(home / "prefect.db")) as database:
        assert database.execute("SELECT count(*) FROM flow_run").fetchone() == (1,)
    assert "40 of 40 images, 40 from the store" in said
    assert "2 of 2 shards, 2 from the store" in said
    assert before.items() <= complete(store).items()
    assert results(store) == undisturbed
