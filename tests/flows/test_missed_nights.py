"""Nights that were due while the server was away for three days: one run makes up for all of them."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from cli.deploying.missed_runs import cancel_missed_runs
from storage.datasets.synthetic.lot import draw_part, save_png
from tests.flows.real_server import RealServer, real_server, wait_for, worker
from tests.forking import ForkServer

pytestmark = pytest.mark.timeout(1200)

SMALL = {"settings": {"backbone": "texture", "image_size": 64, "layers": [0], "degrees": [1]}}
NIGHT, CHECK = "nightly-lots/nightly-lots", "flight-check/flight-check"
AWAY = timedelta(days=3)
"""As many nights are scheduled ahead at least (PREFECT_SERVER_SERVICES_SCHEDULER_MIN_RUNS)."""


def move_schedules_back(database: Path) -> None:
    """Leave what is scheduled as a server finds it that was away meanwhile, or that was restored from a dump so old."""
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as server:
        columns = "id, state_id, next_scheduled_start_time"
        for run, state, due in server.execute(f"SELECT {columns} FROM flow_run WHERE auto_scheduled").fetchall():
            (details,) = server.execute("SELECT state_details FROM flow_run_state WHERE id = ?", (state,)).fetchone()
            moved = {"scheduled_time": (datetime.fromisoformat(due).replace(tzinfo=UTC) - AWAY).isoformat()}
            then = (datetime.fromisoformat(due) - AWAY).strftime("%Y-%m-%d %H:%M:%S.%f")
            server.execute(
                "UPDATE flow_run SET next_scheduled_start_time = ?, expected_start_time = ?, idempotency_key = ? "
                "WHERE id = ?",
                (then, then, uuid4().hex, run),
            )
            changed = json.dumps(json.loads(details) | moved)
            server.execute("UPDATE flow_run_state SET state_details = ? WHERE id = ?", (changed, state))


def due_runs(server: RealServer, deployment: str) -> list[dict[str, Any]]:
    """What was due by now of a deployment's schedule, the oldest first."""
    found = server.post(
        "flow_runs/filter",
        flow_runs={
            "deployment_id": {"any_": [server.get(f"deployments/name/{deployment}")["id"]]},
            "expected_start_time": {"before_": datetime.now(UTC).isoformat()},
        },
        sort="EXPECTED_START_TIME_ASC",
    )
    return [run for run in found if run["auto_scheduled"]]


def scheduled(server: RealServer) -> list[dict[str, Any]] | None:
    """The coming nights and checks, once the server has made three of each."""
    found = [run for run in server.post("flow_runs/filter") if run["auto_scheduled"]]
    return found if len(found) >= 6 else None


def test_newest_of_the_missed_nights_does_the_work_of_all(
    new_database: Path, prefect_forks: ForkServer, tmp_path: Path
) -> None:
    lots = tmp_path / "lots" / "bolt"
    for days in (3, 2, 1):
        for number in range(5):
            picture, _ = draw_part("cast", None, seed=days, number=number, size=64)
            save_png(picture, lots / str(date.today() - timedelta(days=days)) / f"{number:03d}.png")
    (tmp_path / "home").mkdir()
    with real_server(tmp_path / "home", new_database, prefect_forks) as server:
        given = ["--output", str(tmp_path / "store"), "--options", json.dumps(SMALL)]
        said = server.musc("deploy", "--root", str(lots.parent), *given)
        assert "missed run" not in said
        wait_for("runs of the schedules", lambda: scheduled(server))
        move_schedules_back(tmp_path / "home" / "prefect.db")
        asked = server.trigger(CHECK)
        missed = due_runs(server, NIGHT)
        assert len(missed) == 3, missed

        said = server.musc("deploy")
        assert "2 missed runs of nightly-lots: cancelled, the newest one does the work of all\n" in said
        assert " missed runs of flight-check: cancelled, " in said
        with temporary_settings({PREFECT_API_URL: server.address}):
            assert cancel_missed_runs() == {}, "nothing is left to cancel"
        states = [run["state_name"] for run in due_runs(server, NIGHT)]
        assert states[:-1] == ["Cancelled", "Cancelled"]
        assert states[-1] in ("Scheduled", "Late")
        assert server.get(f"flow_runs/{asked}")["state_type"] == "SCHEDULED", "what a person asked for stays"

        server.ask("DELETE", f"flow_runs/{asked}")
        with worker(server):
            night = server.ended(missed[-1]["id"])
            assert night["state_type"] == "COMPLETED", night["state"]
            names = {run["name"] for run in server.below(night["id"])}
        assert names == {f"score bolt-{date.today() - timedelta(days=days)}" for days in (3, 2, 1)}
