"""`musc deploy` on a real server: one step makes everything, again changes nothing, and what is given is changed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planning.requests import NightRequest
from tests.flows.chat import Chat, chat
from tests.flows.launched import launchers
from tests.flows.pasted import commands
from tests.flows.real_server import CHECKOUT, PATIENCE_SECONDS, RealServer, real_server
from tests.forking import ForkServer

__all__ = ["chat"]
pytestmark = pytest.mark.timeout(1800)

FURTHER = '{"settings": {"backbone": "texture"}, "export": "csv", "resources": {"memory": "2GB"}}'


@pytest.fixture(scope="module")
def server(
    new_database: Path, prefect_forks: ForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    with real_server(
        tmp_path_factory.mktemp("home"), new_database, prefect_forks, MUSC_TIMEZONE="Asia/Shanghai"
    ) as running:
        yield running


def outcomes(said: str) -> dict[str, str]:
    """What became of each thing, by the line's beginning."""
    lines = [line.rpartition(": ") for line in said.splitlines()]
    return {name: outcome for name, _, outcome in lines if name.startswith(("work pool", "deployment", "automation"))}


def deployment(server: RealServer, name: str) -> dict[str, Any]:
    return dict(server.get(f"deployments/name/{name}"))


def test_deploy_makes_everything_once_and_changes_what_is_given(server: RealServer, chat: Chat) -> None:
    chat.save_as_block(server.address, "quality")
    given = ["--root", "/data/lots", "--output", "/data/results", "--schedule", "30 2 * * *", "--options", FURTHER]
    first = server.musc("deploy", *given, "--alert", "custom-webhook/quality", "--overdue", "30")
    assert set(outcomes(first).values()) == {"created"}
    assert len(outcomes(first)) == 1 + 8 + 7, first
    assert "timezone: Asia/Shanghai (of the environment, MUSC_TIMEZONE, created)" in first
    night = deployment(server, "nightly-lots/nightly-lots")
    assert night["parameters"] == {
        **{"root": "/data/lots", "output": "/data/results", "settings": {"backbone": "texture"}, "export": "csv"},
        "resources": {"device": "auto", "engine": "threads", "memory": "2GB"},
        **dict.fromkeys(("category", "since", "image_prefix", "pixel_size", "smallest_flaw")),
        **dict.fromkeys(("good_from_verdicts", "ignore_drawn", "default_settings"), False),
        **{"maps": [], "decisions": {}, "language": "en"},
    }
    NightRequest(**night["parameters"])
    (schedule,) = night["schedules"]
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("30 2 * * *", "Asia/Shanghai")
    assert deployment(server, "flight-check/flight-check")["parameters"] == night["parameters"]
    assert deployment(server, "score-lot/score-lot")["parameters"]["folder"] == "/data/lots/today"
    loco = deployment(server, "benchmark/benchmark-mvtec-loco")
    assert loco["parameters"]["root"] == "datasets/mvtec_loco"
    assert str(CHECKOUT) in json.dumps(loco["pull_steps"]), "the folder that runs start in"

    again = server.musc("deploy")
    assert {outcome.partition(",")[0] for outcome in outcomes(again).values()} == {"unchanged"}, again
    assert "root: /data/lots (kept, unchanged)" in again
    assert again.count("unchanged") >= 12 + 16

    changed = server.musc("deploy", "--device", "cpu", "--alert", "")
    updated = {name for name, outcome in outcomes(changed).items() if outcome == "updated"}
    assert updated == {name for name in outcomes(again) if name.startswith("deployment")}
    assert deployment(server, "tune/tune")["parameters"]["resources"]["device"] == "cpu"
    assert "no messages are sent" in changed
    variables = {found["name"]: found["value"] for found in server.post("variables/filter")}
    assert variables["musc_device"] == "cpu"
    assert json.loads(variables["musc_options"]) == json.loads(FURTHER)


def test_documents_two_lines_have_messages_sent(server: RealServer, prefect_forks: ForkServer, tmp_path: Path) -> None:
    lines = commands("Watching")
    path = f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    with launchers(tmp_path, prefect_forks):
        done = subprocess.run(
            ["bash", "-ec", "\n".join(lines)],
            cwd=CHECKOUT,
            env={**server.environment, "PATH": path},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "automation musc: tell of nights that have not started: " in done.stdout
    automations = server.post("automations/filter")
    blocks = {action.get("block_document_id") for one in automations for action in one["actions"]} - {None}
    (block,) = blocks
    assert server.get(f"block_documents/{block}")["name"] == "quality"
    assert len(automations) == 7


def test_value_that_cannot_be_is_refused_by_name_and_changes_nothing(server: RealServer) -> None:
    before = server.post("variables/filter")
    with pytest.raises(AssertionError, match="timezone must be a name such as Europe/Berlin, got 'Mars'"):
        server.musc("deploy", "--timezone", "Mars")
    assert server.post("variables/filter") == before
