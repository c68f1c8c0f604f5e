"""One run at a time on a device: the limit on a server, in this process and between processes that are killed."""

import logging
import os
import platform
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.devices import lease, limit
from flows.devices.limit import holding
from flows.devices.names import DeviceBusyError
from storage.datasets.synthetic.lot import write_lot
from tests.flows.real_server import RealServer, end, real_server, wait_for
from tests.forking import ForkServer

pytestmark = pytest.mark.timeout(900)

GPU = "musc-plant7-cuda-0"
CPU = f"musc-{platform.node()}-cpu"
HOLDER = """
import time
from prefect import flow
from flows.devices import lease, limit
lease.LEASE_SECONDS = 60

@flow(flow_run_name="the earlier one")
def keep():
    with limit.holding(["{name}"]):
        time.sleep(600)

keep()
"""
"""A run that holds a device until it is killed, by the shortest lease that a server takes."""


@pytest.fixture(scope="module")
def server(
    new_database: Path, prefect_forks: ForkServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealServer]:
    fast = {"PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "1", "PREFECT_LOGGING_LEVEL": "INFO"}
    with real_server(tmp_path_factory.mktemp("home"), new_database, prefect_forks, **fast) as running:
        yield running


@dataclass
class Waiting:
    """A run that waits for a device whose holder has just been killed, and its process."""

    run: dict[str, Any]
    process: "subprocess.Popen[str]"


@pytest.fixture(scope="module")
def second(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Waiting]:
    """Begun before all other tests, so that the minute of the killed run's lease passes while they run."""
    place = tmp_path_factory.mktemp("second")
    server.prefect("gcl", "create", CPU, "--limit", "1")
    write_lot(place / "lot", good_count=5, defective_count=1, size=64)
    first = server.start("first", "-c", HOLDER.format(name=CPU))

    def held() -> bool | None:
        return True if server.get(f"v2/concurrency_limits/{CPU}")["active_slots"] else None

    def waiting() -> dict[str, Any] | None:
        found = server.post("flow_runs/filter", flow_runs={"name": {"any_": ["score lot"]}})
        return found[0] if found and found[0]["state_name"].startswith("Waiting") else None

    options = "--output", str(place / "out"), "--backbone", "texture", "--image-size", "64"
    try:
        wait_for("holder", held)
        process = server.start("second", "-m", "cli", "score", str(place / "lot"), *options)
        try:
            run = wait_for("waiting run", waiting)
            os.kill(first.pid, signal.SIGKILL)
            yield Waiting(run, process)
        finally:
            end(process)
    finally:
        end(first)


def test_second_run_on_a_device_waits_for_the_first(second: Waiting) -> None:
    assert second.run["state_name"] == f"Waiting for {CPU}"


@pytest.fixture
def client(prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncPrefectClient]:
    """Of a server without our limits; waits are short."""
    monkeypatch.setattr(limit, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(limit, "SECONDS_BETWEEN_MESSAGES", 0.05)
    with get_client(sync_client=True) as running:
        yield running
        for found in running.read_global_concurrency_limits(limit=50, offset=0):
            running.delete_global_concurrency_limit_by_name(found.name)


def taken(client: SyncPrefectClient, name: str = GPU) -> int:
    return int(client.read_global_concurrency_limit_by_name(name).active_slots)


def as_flow(body: Callable[[UUID], Any], name: str = "later") -> Any:
    """What a body returns within a flow, called with the run's id."""

    @flow(name=name, flow_run_name=name)
    def run() -> Any:
        context = FlowRunContext.get()
        assert context
        assert context.flow_run
        return body(context.flow_run.id)

    return run()


def test_limit_is_made_with_one_slot_and_stays_as_people_set_it(client: SyncPrefectClient) -> None:
    with holding([GPU]):
        assert client.read_global_concurrency_limit_by_name(GPU).limit == 1
        assert taken(client) == 1
        with pytest.raises(DeviceBusyError), holding([GPU], patience=0):
            pass
    assert taken(client) == 0
    client.update_global_concurrency_limit(GPU, GlobalConcurrencyLimitUpdate(limit=2))
    with holding([GPU]), holding([GPU], patience=0):
        assert taken(client) == 2
    assert client.read_global_concurrency_limit_by_name(GPU).limit == 2


def test_devices_of_a_run_are_held_all_or_none(client: SyncPrefectClient) -> None:
    other = "musc-plant7-cuda-1"
    with holding([GPU]):
        with pytest.raises(DeviceBusyError, match=GPU), holding([GPU, other], patience=0):
            pass
        assert taken(client, other) == 0


def test_cpu_is_shared_unless_people_make_its_limit(client: SyncPrefectClient) -> None:
    with holding([CPU]), holding([CPU], patience=0):
        assert client.read_global_concurrency_limits(limit=50, offset=0) == []
    lease.make_limit(client, CPU)
    with holding([CPU]), pytest.raises(DeviceBusyError), holding([CPU], patience=0):
        pass


def test_nothing_is_asked_without_a_configured_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "get_client", lambda **_: pytest.fail("a server was asked"))
    with temporary_settings(restore_defaults={PREFECT_API_URL}), holding([GPU]):
        pass


def test_server_that_does_not_answer_costs_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}), holding([GPU]):
        pass
    assert f"{GPU} may have two runs at once" in caplog.text


def test_device_that_people_set_to_nothing_is_waited_for(client: SyncPrefectClient) -> None:
    lease.make_limit(client, GPU)
    client.update_global_concurrency_limit(GPU, GlobalConcurrencyLimitUpdate(limit=0))
    with pytest.raises(DeviceBusyError, match="people have set to 0"), holding([GPU], patience=0):
        pass


def test_run_that_waits_names_the_holder_in_its_log_and_its_state(
    client: SyncPrefectClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    seen = {}
    earlier, later = threading.Event(), threading.Event()

    def hold(run: UUID) -> None:
        with holding([GPU]):
            earlier.set()
            later.wait(60)

    holder = threading.Thread(target=as_flow, args=(hold, "the earlier one"))
    holder.start()
    earlier.wait(60)

    def wait(run: UUID) -> None:
        def look() -> None:
            while "state" not in seen:
                state = client.read_flow_run(run).state
                if state and state.name != "Running":
                    seen["state"] = state
            later.set()

        looking = threading.Thread(target=look)
        looking.start()
        with holding([GPU]):
            seen["after"] = client.read_flow_run(run).state
            seen["tags"] = client.read_flow_run(run).tags
        looking.join()

    as_flow(wait)
    holder.join()
    assert (seen["state"].name, seen["state"].type) == (f"Waiting for {GPU}", "RUNNING")
    assert f"waits for the device {GPU}, held by the run the earlier one, begun " in seen["state"].message
    assert seen["state"].message in caplog.text
    assert seen["after"].name == "Running"
    assert seen["tags"] == [f"holds:{GPU}"]
    assert taken(client) == 0


def test_slot_that_no_run_holds_is_freed_after_more_than_a_lease(
    client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(limit, "FORGOTTEN_SECONDS", 0.2)
    lease.make_limit(client, GPU)
    # As a server does that was restarted meanwhile, or whose database was restored.
    client.update_global_concurrency_limit(GPU, GlobalConcurrencyLimitUpdate(active_slots=1))

    def wait(run: UUID) -> None:
        with holding([GPU]):
            assert taken(client) == 1

    as_flow(wait)
    assert "counted runs that have ended" in caplog.text
    assert taken(client) == 0


def test_slot_of_a_run_that_goes_on_is_never_freed(client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "FORGOTTEN_SECONDS", 0.0)

    def hold(run: UUID) -> None:
        with (
            holding([GPU]),
            pytest.raises(DeviceBusyError, match="held by the run the holder"),
            holding([GPU], patience=1),
        ):
            pass

    as_flow(hold, "the holder")


def test_lease_that_the_server_lost_is_taken_anew(client: SyncPrefectClient) -> None:
    lease.make_limit(client, GPU)
    first = lease.ask(client, [GPU], None)
    assert first
    held = lease.Lease((GPU,), None, first)
    client.release_concurrency_slots_with_lease(first)
    held._renew(client)
    assert held.id != first
    assert taken(client) == 1
    with held.renewed():
        pass
    assert taken(client) == 0


def test_second_run_on_a_device_goes_on_after_the_first_was_killed(server: RealServer, second: Waiting) -> None:
    run = second.run["id"]
    assert server.ended(run)["state_type"] == "COMPLETED"
    assert second.process.wait(120) == 0  # and so has sent its log
    logs = server.post("logs/filter", logs={"flow_run_id": {"any_": [run]}}, limit=200)
    said = [log["message"] for log in logs if CPU in log["message"]]
    assert f"waits for the device {CPU}, held by the run the earlier one" in said[0]
    assert "is this run's after" in said[-1]
