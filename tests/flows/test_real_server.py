"""The deployments as they run unattended: a real server, a real process worker, `musc deploy`."""

import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from storage.datasets.synthetic.lot import draw_part, save_png
from tests.flows.chat import Chat, chat
from tests.flows.real_server import POOL, RealServer, real_server, wait_for, worker
from tests.forking import ForkServer

__all__ = ["chat"]
pytestmark = pytest.mark.timeout(2400)

SMALL = {"settings": {"backbone": "texture", "image_size": 64, "layers": [0], "degrees": [1]}}
NIGHT = "nightly-lots/nightly-lots"
RUNNING = ["RUNNING"]
SHOWN_MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def server(
    new_database: Path, prefect_forks: ForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    """A server with all deployments and a worker."""
    with real_server(tmp_path_factory.mktemp("home"), new_database, prefect_forks) as running:
        running.musc("deploy")
        with worker(running):
            yield running


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two lots of two products, and one without images."""
    root = tmp_path_factory.mktemp("lots")
    for seed, folder in ((1, "bolt/2026-11-20"), (2, "nut/2026-11-20")):
        for number in range(7):
            picture, _ = draw_part("cast", "stain" if number > 4 else None, seed=seed, number=number, size=128)
            save_png(picture, root / folder / f"{number:03d}.png")
    (root / "nut" / "2026-11-21").mkdir()
    return root


@pytest.fixture(scope="module")
def parameters(lots: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {"root": str(lots), "output": str(tmp_path_factory.mktemp("store")), **SMALL}


@pytest.fixture(scope="module")
def night(server: RealServer, parameters: dict[str, Any]) -> dict[str, Any]:
    """The first night, ended."""
    return server.ended(server.trigger(NIGHT, **parameters))


@pytest.fixture(scope="module")
def bolt(server: RealServer, night: dict[str, Any]) -> dict[str, Any]:
    """The run of one lot of that night."""
    (found,) = (run for run in server.below(night["id"]) if "category:bolt" in run["tags"])
    return found


def test_deployments_are_complete_and_form_like(server: RealServer) -> None:
    assert "nightly-lots/nightly-lots" in server.prefect("deployment", "ls")
    deployments = {found["name"]: found for found in server.post("deployments/filter")}
    assert set(deployments) == {
        "nightly-lots",
        "flight-check",
        "score-lot",
        "tune",
        "benchmark-mvtec-ad",
        "benchmark-visa",
        "benchmark-btad",
        "benchmark-mvtec-loco",
    }
    for name, deployment in deployments.items():
        properties = deployment["parameter_openapi_schema"]["properties"]
        # a model of options is described by its own fields
        plain = {parameter: known for parameter, known in properties.items() if "$ref" not in known}
        undescribed = [parameter for parameter, known in plain.items() if not known.get("description")]
        assert undescribed == [], name
        assert deployment["work_pool_name"] == POOL
        assert deployment["job_variables"]["env"]["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"
    nightly = deployments["nightly-lots"]
    assert nightly["parameter_openapi_schema"]["properties"]["since"]["anyOf"][0]["format"] == "date"
    (schedule,) = nightly["schedules"]
    assert (schedule["slug"], schedule["schedule"]["timezone"]) == ("every-night", "Europe/Berlin")
    assert nightly["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert nightly["global_concurrency_limit"]["limit"] == 1


def test_night_completes_with_a_run_per_lot(server: RealServer, night: dict[str, Any]) -> None:
    assert night["state_type"] == "COMPLETED", night["state"]
    below = {run["name"]: run for run in server.below(night["id"])}
    assert set(below) == {"score bolt-2026-11-20", "score nut-2026-11-20"}
    for category in ("bolt", "nut"):
        run = below[f"score {category}-2026-11-20"]
        assert run["state_type"] == "COMPLETED"
        lot = f"lot:{category}-2026-11-20"
        assert set(run["tags"]) == {f"category:{category}", lot, "backbone:texture", "device:cpu"}


def test_night_publishes_artifacts(server: RealServer, night: dict[str, Any], bolt: dict[str, Any]) -> None:
    assert "too small" in server.artifacts(night["id"])["nightly-lots"]["data"]
    found = server.artifacts(bolt["id"])
    types = {key: artifact["type"] for key, artifact in found.items()}
    stages = {f"progress-{stage}": "progress" for stage in ("extract", "score", "rescore")}
    assert types.items() >= {"plan": "table", "scores-bolt": "table", "summary-bolt": "markdown", **stages}.items()
    assert {found[key]["data"] for key in stages} == {100.0}
    assert "data:image/jpeg;base64," in found["summary-bolt"]["data"]
    assert len(found["summary-bolt"]["data"]) < 500_000


def test_night_emits_an_event_per_lot(server: RealServer, night: dict[str, Any]) -> None:
    def of_this_night() -> dict[str, Any] | None:
        payloads = {event["payload"]["lot"]: event["payload"] for event in server.events("musc.lot.scored")}
        return payloads if len(payloads) == 2 else None

    payloads = wait_for("events of both lots", of_this_night)
    assert set(payloads) == {"bolt-2026-11-20", "nut-2026-11-20"}
    assert payloads["bolt-2026-11-20"]["category"] == "bolt"
    assert payloads["bolt-2026-11-20"]["images"] == 7
    assert payloads["bolt-2026-11-20"]["run"].startswith("runs/bolt-2026-11-20-")


def test_second_night_has_nothing_to_do(server: RealServer, night: dict[str, Any], parameters: dict[str, Any]) -> None:
    second = server.ended(server.trigger(NIGHT, **parameters))
    assert second["state_type"] == "COMPLETED"
    assert server.below(second["id"]) == []
    assert "2 of them finished before" in server.artifacts(second["id"])["nightly-lots"]["description"]


def test_interval_schedule_yields_a_run_by_itself(
    server: RealServer, night: dict[str, Any], parameters: dict[str, Any]
) -> None:
    deployment = server.get(f"deployments/name/{NIGHT}")["id"]
    soon = datetime.now(UTC) + timedelta(seconds=5)
    schedule = {  # a server that notices it later than that starts the next one
        "schedule": {"interval": 20, "anchor_date": soon.isoformat(), "timezone": "UTC"},
        "active": True,
        "parameters": parameters,
    }
    (made,) = server.ask("POST", f"deployments/{deployment}/schedules", [schedule])

    def scheduled() -> dict[str, Any] | None:
        runs = server.post(
            "flow_runs/filter",
            flow_runs={"deployment_id": {"any_": [deployment]}, "state": {"type": {"any_": ["COMPLETED"]}}},
        )
        return next((run for run in runs if run["auto_scheduled"]), None)

    try:
        run = wait_for("run made by the schedule", scheduled)
    finally:
        server.ask("DELETE", f"deployments/{deployment}/schedules/{made['id']}")
    assert server.below(run["id"]) == []


def test_killed_lot_is_told_with_stage_and_block(
    server: RealServer, parameters: dict[str, Any], lots: Path, tmp_path: Path
) -> None:
    picture = (lots / "bolt" / "2026-11-20" / "000.png").read_bytes()
    for number in range(400):
        (tmp_path / "many").mkdir(exist_ok=True)
        (tmp_path / "many" / f"{number:03d}.png").write_bytes(picture + number.to_bytes(4, "big"))
    given = {"folder": str(tmp_path / "many"), "output": str(tmp_path / "out"), "settings": {"backbone": "texture"}}
    flow_run = server.trigger("score-lot/score-lot", **given, lot="many")

    def extracting() -> int | None:
        tasks = server.post(
            "task_runs/filter", flow_runs={"id": {"any_": [flow_run]}}, task_runs={"state": {"type": {"any_": RUNNING}}}
        )
        pid = server.get(f"flow_runs/{flow_run}")["infrastructure_pid"]
        begun = any(task["name"].startswith("extract") for task in tasks)
        return int(pid.rpartition(":")[2]) if begun and pid else None

    pid = wait_for("extraction", extracting)
    os.kill(pid, signal.SIGKILL)
    assert server.ended(flow_run)["state_type"] == "CRASHED"
    (event,) = wait_for("event of the killed lot", lambda: server.events("musc.lot.crashed") or None)
    assert event["payload"]["lot"] == "many"
    assert event["payload"]["stages"] == ["extract"]
    assert re.fullmatch(r"extract many \d+-\d+", event["payload"]["tasks"][0])


def test_automation_is_created_once(server: RealServer) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from tasks.monitoring.automations import create_automations

    assert server.musc("automations").endswith(": unchanged\n"), "musc deploy has made it"
    with temporary_settings({PREFECT_API_URL: server.address}):
        assert create_automations() == "unchanged"
        assert create_automations(120) == "updated"
        assert create_automations(120) == "unchanged"
        with pytest.raises(ValueError, match="silence must be at least 90 seconds, got 30"):
            create_automations(30)
    (found,) = server.post("automations/filter")
    assert found["trigger"]["posture"] == "Proactive"
    assert found["trigger"]["within"] == 120
    assert found["actions"][0]["state"] == "CRASHED"


def test_failed_lot_sends_a_message(server: RealServer, parameters: dict[str, Any], chat: Chat, tmp_path: Path) -> None:
    chat.save_as_block(server.address, "quality")
    given = "automations", "--alert", "custom-webhook/quality"
    assert ": created\n" in server.musc(*given)
    assert ": unchanged\n" in server.musc(*given)
    (tmp_path / "empty").mkdir()
    lost = {"folder": str(tmp_path / "empty"), "output": parameters["output"], "lot": "lost", **SMALL}
    assert server.ended(server.trigger("score-lot/score-lot", **lost))["state_type"] == "FAILED"
    message = wait_for("message about the failed lot", lambda: chat.about("has no result"))
    assert message.startswith("musc: lost has no result")
    assert str(tmp_path / "empty") in message


def test_ui_shows_run_summary_table_and_picture(
    server: RealServer, bolt: dict[str, Any], browser: Browser, tmp_path: Path
) -> None:
    artifacts = server.artifacts(bolt["id"])
    page = browser.new_page(viewport={"width": 1400, "height": 1400})
    page.set_default_timeout(SHOWN_MILLISECONDS)
    expect.set_options(timeout=SHOWN_MILLISECONDS)
    page.goto(f"{server.ui}/runs/flow-run/{bolt['id']}")
    expect(page.get_by_text("score bolt-2026-11-20").first).to_be_visible()
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible()
    page.screenshot(path=tmp_path / "run.png")
    page.goto(f"{server.ui}/artifacts/artifact/{artifacts['summary-bolt']['id']}")
    expect(page.get_by_role("heading", name="Most anomalous of 7 images")).to_be_visible()
    expect(page.get_by_text("images scored").first).to_be_visible()
    picture = page.locator("img[src^='data:image/jpeg']")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 400 && image.clientWidth > 200")
    expect(page.get_by_role("cell", name="006.png")).to_be_visible()
    page.screenshot(path=tmp_path / "summary.png", full_page=True)
    page.goto(f"{server.ui}/artifacts/artifact/{artifacts['scores-bolt']['id']}")
    expect(page.get_by_text("peak at x, y").first).to_be_visible()
    expect(page.get_by_text("7 Items")).to_be_visible()
    page.screenshot(path=tmp_path / "scores.png")
