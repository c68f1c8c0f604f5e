"""Run all orders of one stage: submit, wait for every one, and only then complain."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from prefect import Task
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import TaskRunner

from storage.artefacts import is_complete
from storage.store import Store
from tasks import progress
from tasks.publish import StageArtifact

LOST = "KilledWorker"
"""The error's name, as Dask need not be installed."""


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


Order = TypeVar("Order", bound=StageOrder)


class StageFailedError(RuntimeError):
    """Some task runs of a stage failed; whatever the others made is kept."""

    names: tuple[str, ...] = ()
    """Of the task runs that failed."""


def run_stage(
    task: Task[[Any], dict[str, Any]],
    orders: Sequence[Order],
    runner: TaskRunner[Any] | None = None,
    ahead: Callable[[Sequence[Order]], None] | None = None,
) -> list[dict[str, Any]]:
    """Run a cached task on every order and return the results in the orders' sequence.

    Args:
        task: made by `tasks.caching.cached_task`.
        orders: what to do; orders whose artefact is complete end at once.
        runner: a started task runner; that of the flow unless given.
        ahead: called once with the orders whose artefact is not complete, if any, before the first is submitted; what
            it raises ends the stage as it is.

    Raises:
        StageFailedError: after all task runs have ended, naming each that failed and why.
    """
    if not orders:
        return []
    complete = {order.key: is_complete(Store(order.store), order.path) for order in orders}
    total, done = sum(order.size for order in orders), sum(order.size for order in orders if complete[order.key])
    progress.begin(task.name, total, done, orders[0].category)
    shown = StageArtifact(task.name, total, done, orders[0].category)
    missing = [order for order in orders if not complete[order.key]]
    if ahead and missing:
        ahead(missing)
    outcomes = outcomes_of(task, orders, complete, runner, shown)
    # Whoever waited at a worker that was killed is blamed for it too. Alone only the guilty one fails again.
    for order in [order for order in orders if is_lost(outcomes[order.key])]:
        outcomes.update(outcomes_of(task, [order], complete, runner, shown))
    failures = [
        (order.label, explained(outcomes[order.key]))
        for order in orders
        if isinstance(outcomes[order.key], BaseException)
    ]
    if failures:
        error = StageFailedError(
            f"{task.name} failed for {len(failures)} of {len(orders)} task runs; everything finished is kept, so the "
            f"same command goes on from here. {told(failures)}"
        )
        error.names = tuple(f"{task.name} {label}" for label, _ in failures)
        raise error
    return [outcomes[order.key] for order in orders]


def paths_of(orders: Sequence[StageOrder]) -> list[str]:
    """The artefacts that orders make."""
    return [order.path for order in orders]


def outcomes_of(
    task: Task[[Any], dict[str, Any]],
    orders: Sequence[StageOrder],
    complete: Mapping[str, bool],
    runner: TaskRunner[Any] | None,
    shown: StageArtifact,
) -> dict[str, Any]:
    """Submit all orders and wait: the result of each, or what it failed with, by key."""
    futures: dict[PrefectFuture[Any], StageOrder] = {}
    for order in orders:
        fresh = task.with_options(refresh_cache=not complete[order.key])
        futures[runner.submit(fresh, {"order": order}) if runner else fresh.submit(order)] = order
    outcomes: dict[str, Any] = {}
    for future in as_completed(list(futures)):
        order = futures[future]
        outcomes[order.key] = outcome(future)
        if not complete[order.key] and not isinstance(outcomes[order.key], BaseException):
            progress.settle(task.name, order.key, order.size)
            shown.advance(order.size)
    return outcomes


def outcome(future: PrefectFuture[Any]) -> Any:
    """What a task run returned, or what it failed with; a worker's death is such an error, not the flow's own."""
    try:
        return future.result(raise_on_failure=False)
    except Exception as error:
        return error


def is_lost(error: Any) -> bool:
    """Whether a task run ended because Dask gave it up after several of its workers died."""
    return type(error).__name__ == LOST


def told(failures: Sequence[tuple[str, str]]) -> str:
    """What failed and why, each reason once.

    >>> told([("bottle", "no space left"), ("cable", "no space left"), ("screw", "no masks")])
    'bottle, cable: no space left; screw: no masks'
    """
    reasons: dict[str, list[str]] = {}
    for name, why in failures:
        reasons.setdefault(why, []).append(name)
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in reasons.items())


def explained(error: BaseException) -> str:
    """What a failed task run says, in words of this project where a library's own are no help."""
    if is_lost(error):
        return "every worker that took it was killed; see the workers' logs, most often they ran out of memory"
    return str(error) or type(error).__name__
