"""A device kept to one run at a time, by a global concurrency limit of Prefect's server.

The limit belongs to a host's device, so that it holds for all deployments, workers and commands of that host. It is
made with one slot where it is missing; how many it has then is up to people, in the UI below Concurrency. A run holds
its slot by a lease that it renews: after a kill the server gives the slot to another run once the lease has expired.

Without a configured server nothing is limited: nobody could look at who waits for whom. A server that is lost, or
refuses, costs a warning and no result.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_API_URL

from flows.devices.holders import change_tags, correct_slots, forgotten_slots, holders
from flows.devices.lease import LEASE_SECONDS, Lease, ask, existing_limits
from flows.devices.names import DeviceBusyError
from storage.local_time import local_time
from tasks.runtime import progress

log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
"""Between two attempts to get a device."""
SECONDS_BETWEEN_MESSAGES = 60.0
FORGOTTEN_SECONDS = LEASE_SECONDS + 60
"""How long a slot must have been taken by no run that goes on until it is freed: longer than a killed run's lease."""
SILENT_SERVER_SECONDS = 600.0
"""For which a server that does not answer is asked again; then the run goes on without its device's limit."""


@contextmanager
def holding(names: Sequence[str], patience: float | None = None) -> Iterator[None]:
    """Hold devices while the `with` block lasts; wait for as long as other runs do.

    Args:
        names: of the limits; without any, or without a configured server, nothing is waited for.
        patience: seconds to wait; None is as long as it takes.

    Raises:
        DeviceBusyError: after that, naming the runs that hold them.
    """
    context = FlowRunContext.get()
    run = context.flow_run.id if context and context.flow_run else None
    lease = wait_for(names, run, patience) if names and PREFECT_API_URL.value() else None
    if lease is None:
        yield
        return
    with lease.renewed():
        mark(lease.names, run, holds=True)
        try:
            yield
        finally:
            mark(lease.names, run, holds=False)


def wait_for(names: Sequence[str], run: UUID | None, patience: float | None) -> Lease | None:
    """A lease of the devices, once they are free; None where nothing limits them, or the server fails."""
    try:
        with get_client(sync_client=True) as client:
            limits = existing_limits(client, names)
            return Wait(client, limits, run).until_granted(patience) if limits else None
    except (httpx.HTTPError, PrefectException) as error:
        log.warning("%s may have two runs at once, as the server fails: %s", ", ".join(names), error)
        return None


def mark(names: Sequence[str], run: UUID | None, *, holds: bool) -> None:
    """Tag a run as one that holds devices, or no longer; where that goes wrong, others see fewer holders."""
    if run is None:
        return
    try:
        with get_client(sync_client=True) as client:
            change_tags(client, run, names, holds=holds)
    except Exception as error:
        log.warning("the tag of %s could not be changed: %s", ", ".join(names), error)


@dataclass
class Wait:
    """A run that wants devices, and what it has seen of those that have them."""

    client: SyncPrefectClient
    names: tuple[str, ...]
    run: UUID | None
    """None outside of flows."""
    forgotten_since: dict[str, float] = field(default_factory=dict)
    """When a limit was first seen with more slots taken than runs hold, without a break."""
    is_shown: bool = False
    """Whether the run's state says that it waits."""

    def until_granted(self, patience: float | None) -> Lease:
        """Ask until the devices are this run's."""
        began = answered = time.monotonic()
        told: float | None = None
        while True:
            now = time.monotonic()
            try:
                granted = ask(self.client, self.names, self.run)
                answered = now
                if granted is None and patience is not None and now - began >= patience:
                    raise DeviceBusyError(self.reason())
                if granted is None and (told is None or now - told >= SECONDS_BETWEEN_MESSAGES):
                    told = now
                    self.tell(self.reason())
                    granted = self.freed(now)
            except httpx.HTTPError:
                granted = None
                if now - answered >= SILENT_SERVER_SECONDS:
                    raise
            if granted is not None:
                if told is not None:
                    self.show_running(f"{', '.join(self.names)} is this run's after {now - began:.0f} s")
                return Lease(self.names, self.run, granted)
            time.sleep(POLL_SECONDS)

    def reason(self) -> str:
        """Which devices are waited for, and who holds them."""
        return "; ".join(self.reason_of(name) for name in self.names)

    def reason_of(self, name: str) -> str:
        limit = self.client.read_global_concurrency_limit_by_name(name)
        if limit.limit == 0:
            return f"waits for the device {name}, whose concurrency limit people have set to 0"
        held = " and by ".join(description(run) for run in holders(self.client, name))
        return f"waits for the device {name}, held by {held or 'a run that has ended, for some minutes more'}"

    def tell(self, reason: str) -> None:
        """Say why nothing happens: in the log, on the console and as the name of the run's state."""
        log.info("%s", reason)
        progress.doing(f"{reason} …")
        if not self.is_shown:
            self.show(f"Waiting for {self.names[0]}", reason)
            self.is_shown = True

    def show_running(self, text: str) -> None:
        log.info("%s", text)
        if self.is_shown:
            self.show("Running", text)

    def show(self, name: str, message: str) -> None:
        """Name the state that the run is in."""
        state = self.client.read_flow_run(self.run).state if self.run else None
        if self.run and state and state.is_running():
            fresh = state.fresh_copy().model_copy(update={"name": name, "message": message})
            self.client.set_flow_run_state(self.run, fresh)

    def freed(self, now: float) -> UUID | None:
        """Free slots that have been taken by no run for longer than a lease, and take them."""
        for name in self.names:
            if forgotten_slots(self.client, name) <= 0:
                self.forgotten_since.pop(name, None)
            else:
                self.forgotten_since.setdefault(name, now)
        forgotten = [name for name, since in self.forgotten_since.items() if now - since >= FORGOTTEN_SECONDS]
        if not forgotten:
            return None
        self.forgotten_since.clear()
        # Tagged before, so that another run that waits does not take the new slot for a forgotten one.
        mark(self.names, self.run, holds=True)
        for name in forgotten:
            log.warning("the limit %s counted runs that have ended, and is corrected", name)
            correct_slots(self.client, name, self.run)
        granted = ask(self.client, self.names, self.run)
        if granted is None:
            mark(self.names, self.run, holds=False)
        return granted


def description(run: FlowRun) -> str:
    """A run as people find it in the UI."""
    begun = run.start_time or run.created
    return f"the run {run.name}{f', begun {local_time(begun.isoformat())}' if begun else ''}"
