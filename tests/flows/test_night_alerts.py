"""A night that fails, does not start or does not end is told, on a real server; a quiet night sends nothing."""

import shlex
from datetime import date
from pathlib import Path

import pytest

from storage.datasets.synthetic.lot import draw_part, save_png
from tests.flows.chat import Chat, chat
from tests.flows.pasted import commands
from tests.flows.real_server import POOL, real_server, wait_for, worker
from tests.forking import ForkServer

__all__ = ["chat"]
pytestmark = pytest.mark.timeout(1800)

NIGHT = "nightly-lots/nightly-lots"
CHECK = "flight-check/flight-check"
QUICK = {
    "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "20",
    "PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS": "5",
    "PREFECT_WORKER_HEARTBEAT_SECONDS": "5",
}
"""A server that notices in seconds what it otherwise notices in minutes."""


def root_of_today(place: Path) -> Path:
    """Four photographs of today."""
    for number in range(4):
        picture, _ = draw_part("cast", None, seed=2, number=number, size=64)
        save_png(picture, place / "today" / "bolt" / str(date.today()) / f"{number:03d}.png")
    return place / "today"


def test_nights_that_fail_do_not_start_or_are_missing_are_told(
    chat: Chat, new_database: Path, prefect_forks: ForkServer, tmp_path: Path
) -> None:
    for number in range(7):
        picture, _ = draw_part("cast", None, seed=1, number=number, size=64)
        save_png(picture, tmp_path / "lots" / "bolt" / "2026-11-20" / f"{number:03d}.png")
    small = {"backbone": "texture", "image_size": 64, "layers": [0], "degrees": [1]}
    given = {"output": str(tmp_path / "store"), "settings": small}
    (tmp_path / "home").mkdir()
    with real_server(tmp_path / "home", new_database, prefect_forks, **QUICK) as server:
        make_block, deploy = (shlex.split(line) for line in commands("Watching", 1))
        alert = "automations", "--alert", "custom-webhook/quality"
        assert make_block[:2] == ["python", "-c"]
        server.run("-c", make_block[2].replace("https://chat.plant.example/SECRET", chat.address))
        assert chat.messages == ["musc: musc can be heard"]
        assert deploy == ["musc", "deploy", *alert[1:]]
        server.musc(*deploy[1:])
        with worker(server):
            wait_for("worker", lambda: server.post(f"work_pools/{POOL}/workers/filter") or None)
            quiet = server.ended(server.trigger(NIGHT, root=str(tmp_path / "lots"), **given))
            assert quiet["state_type"] == "COMPLETED"
            failed = server.ended(server.trigger(NIGHT, root=str(tmp_path / "not mounted"), **given))
            assert failed["state_type"] == "FAILED"
            message = wait_for("message about the failed night", lambda: chat.about("has failed"))
            assert str(tmp_path / "not mounted") in message
            assert len(chat.messages) == 2, "a quiet night sends nothing"
            checked = server.ended(server.trigger(CHECK, root=str(tmp_path / "not mounted"), **given))
            assert checked["state_type"] == "FAILED"
            message = wait_for("message about the flight check", lambda: chat.about("the flight check of"))
            assert f"- root fails: root must be an existing folder, got {tmp_path / 'not mounted'}" in message
            assert "photographs" in server.artifacts(checked["id"])["flight-check"]["data"]
            assert server.below(checked["id"]) == []
            checked = server.ended(server.trigger(CHECK, root=str(root_of_today(tmp_path)), **given))
            assert checked["state_type"] == "COMPLETED", checked["state"]
            (passed,) = wait_for("event of the check", lambda: server.events("musc.check.passed") or None)
            assert passed["payload"]["headline"] == "all 10 checks passed"
            assert chat.about("the flight check of") == message

        # All three are waited for at once.
        # One of a schedule is told a quarter of an hour later: docs/operations.md says why.
        server.trigger(NIGHT, **given)
        assert server.musc(*alert, "--overdue", "0.003").count(": unchanged\n") == 6
        message = wait_for("message about the worker", lambda: chat.about("has no worker"))
        assert f"the work pool {POOL}" in message
        message = wait_for("message about the late night", lambda: chat.about("has not started"))
        assert "of the deployment nightly-lots was due at 20" in message
        message = wait_for("message about the missing night", lambda: chat.about("no night has ended"))
        assert "no night has ended for 0.003 hours" in message
