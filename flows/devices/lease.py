"""A slot of each of some limits, kept by a lease that is renewed for as long as it is needed."""

import contextvars
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.objects import ConcurrencyLeaseHolder
from prefect.client.schemas.responses import ConcurrencyLimitWithLeaseResponse
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from flows.devices.names import is_kept_to_one

log = logging.getLogger(__name__)

LEASE_SECONDS = 120.0
"""After which a killed run's slot is another's; the server allows 60 s or more. Some, as a busy one answers late."""
RENEWALS = 4
"""Within the time of one lease."""
REFUSALS = (HTTPStatus.LOCKED, HTTPStatus.UNPROCESSABLE_ENTITY)
"""All slots are taken; there are none, as people set the limit to 0."""
PATIENCE_SECONDS = 5.0
"""For the thread that renews, at the end."""


def existing_limits(client: SyncPrefectClient, names: Sequence[str]) -> tuple[str, ...]:
    """The limits that the server has; missing ones of devices that are kept to one run are made."""
    found = []
    for name in names:
        try:
            client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            if not is_kept_to_one(name):
                continue
            make_limit(client, name)
        found.append(name)
    return tuple(found)


def make_limit(client: SyncPrefectClient, name: str) -> None:
    """A limit with one slot, unless another run has just made it."""
    try:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1))
    except ObjectAlreadyExists:
        log.debug("another run has made the limit %s", name)


def ask(client: SyncPrefectClient, names: Sequence[str], run: UUID | None) -> UUID | None:
    """A new lease of one slot of each limit, all or none; None while other runs have them."""
    holder = ConcurrencyLeaseHolder(type="flow_run", id=run) if run else None
    try:
        answer = client.increment_concurrency_slots_with_lease(
            list(names), slots=1, mode="concurrency", lease_duration=LEASE_SECONDS, holder=holder
        )
    except httpx.HTTPStatusError as error:
        if error.response.status_code in REFUSALS:
            return None
        raise
    return ConcurrencyLimitWithLeaseResponse.model_validate(answer.json()).lease_id


@dataclass
class Lease:
    """A slot of each of some limits."""

    names: tuple[str, ...]
    run: UUID | None
    id: UUID
    is_silent: bool = False
    """Whether the server did not answer the last renewal."""

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew the lease while the `with` block lasts, then give the slots back.

        Neither a server that is lost nor a lease that it has forgotten ends the block: what is computed is worth more
        than a device of one's own.
        """
        ended = threading.Event()
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(self._renew_until, ended), daemon=True, name="device-lease")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(PATIENCE_SECONDS)
            self._give_back()

    def _renew_until(self, ended: threading.Event) -> None:
        while not ended.wait(LEASE_SECONDS / RENEWALS):
            try:
                with get_client(sync_client=True) as client:
                    self._renew(client)
                self.is_silent = False
            except Exception as error:
                if not self.is_silent:
                    log.warning("%s stays this run's without the server, which fails: %s", self.names, error)
                self.is_silent = True

    def _renew(self, client: SyncPrefectClient) -> None:
        """Renew; a lease that the server no longer has becomes a new one, if no other run has the device now."""
        try:
            client.renew_concurrency_lease(self.id, LEASE_SECONDS)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != HTTPStatus.GONE:
                raise
            self.id = ask(client, self.names, self.run) or self.id

    def _give_back(self) -> None:
        try:
            with get_client(sync_client=True) as client:
                client.release_concurrency_slots_with_lease(self.id)
        except Exception as error:
            log.warning("%s is free only in %.0f s, as the server fails: %s", self.names, LEASE_SECONDS, error)
