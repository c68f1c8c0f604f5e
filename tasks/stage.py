"""Run all orders of one stage: submit, wait for every one, and only then complain."""

from collections.abc import Sequence
from typing import Any, Protocol

from prefect import Task
from prefect.futures import as_completed

from storage.artefacts import is_complete
from storage.store import Store
from tasks import progress
from tasks.publish import StageArtifact


class StageOrder(Protocol):
    """An order that makes an artefact."""

    @property
    def key(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def category(self) -> str: ...

    @property
    def store(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def size(self) -> int: ...


class StageFailedError(RuntimeError):
    """Some task runs of a stage failed; whatever the others made is kept."""

    names: tuple[str, ...] = ()
    """Of the task runs that failed."""


def run_stage(task: Task[[Any], dict[str, Any]], orders: Sequence[StageOrder]) -> list[dict[str, Any]]:
    """Run a cached task on every order and return the results in the orders' sequence.

    Args:
        task: made by `tasks.caching.cached_task`.
        orders: what to do; orders whose artefact is complete end at once.

    Raises:
        StageFailedError: after all task runs have ended, naming each that failed and why.
    """
    if not orders:
        return []
    complete = [is_complete(Store(order.store), order.path) for order in orders]
    reused = [order for order, found in zip(orders, complete, strict=True) if found]
    total, done = (sum(order.size for order in part) for part in (orders, reused))
    progress.begin(task.name, total, done, orders[0].category)
    shown = StageArtifact(task.name, total, done, orders[0].category)
    futures = {
        task.with_options(refresh_cache=not found).submit(order): order
        for order, found in zip(orders, complete, strict=True)
    }
    outcomes: dict[str, Any] = {}
    for future in as_completed(list(futures)):
        order = futures[future]
        outcomes[order.key] = future.result(raise_on_failure=False)
        if order not in reused and not isinstance(outcomes[order.key], BaseException):
            progress.settle(task.name, order.key, order.size)
            shown.advance(order.size)
    failures: dict[str, list[str]] = {}
    for order in orders:
        if isinstance(outcomes[order.key], BaseException):
            failures.setdefault(str(outcomes[order.key]), []).append(order.label)
    if failures:
        count = sum(len(labels) for labels in failures.values())
        error = StageFailedError(
            f"{task.name} failed for {count} of {len(orders)} task runs; everything finished is kept, so the same "
            "command goes on from here. " + "; ".join(f"{', '.join(of)}: {why}" for why, of in failures.items())
        )
        error.names = tuple(f"{task.name} {label}" for labels in failures.values() for label in labels)
        raise error
    return [outcomes[order.key] for order in orders]
