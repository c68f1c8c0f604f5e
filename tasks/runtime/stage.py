"""Run all orders of one stage, wait for every one, and only then complain."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from storage.artefacts import is_complete
from storage.store import Store
from tasks.monitoring.monitor import StageWatch
from tasks.planning.specs import StageOrder
from tasks.runtime import progress
from tasks.runtime.runner import Body, Runner

Order = TypeVar("Order", bound=StageOrder)

LOST = "KilledWorker"
"""The error's name, as Dask need not be installed."""


class StageFailedError(RuntimeError):
    """Some task runs of a stage failed; whatever the others made is kept."""

    names: tuple[str, ...] = ()
    """Of the task runs that failed."""


def run_stage(
    name: str,
    body: Body,
    orders: Sequence[Order],
    runner: Runner,
    ahead: Callable[[Sequence[Order]], None] | None = None,
) -> list[dict[str, Any]]:
    """Run a body on every order and return the results in the orders' sequence.

    Args:
        name: of the stage, such as `extract`.
        body: what to run; orders whose artefact is complete end at once.
        orders: what to run it on.
        runner: where.
        ahead: called once with the orders whose artefact is not complete, if any, before the first is submitted; what
            it raises ends the stage as it is.

    Raises:
        StageFailedError: after all task runs have ended, naming each that failed and why.
    """
    if not orders:
        return []
    complete = {order.key: is_complete(Store(order.store), order.path) for order in orders}
    total, done = sum(order.size for order in orders), sum(order.size for order in orders if complete[order.key])
    progress.begin(name, total, done, orders[0].category)
    watch = runner.monitor.begin_stage(name, total, done, orders[0].category)
    missing = [order for order in orders if not complete[order.key]]
    if ahead and missing:
        ahead(missing)
    outcomes = outcomes_of(name, body, orders, complete, runner, watch)
    # Dask also fails tasks that were queued on a dead worker. Each is run again alone: only the one that kills fails.
    for order in [order for order in orders if is_lost(outcomes[order.key])]:
        outcomes.update(outcomes_of(name, body, [order], complete, runner, watch))
    failures = [
        (order.label, explained(outcomes[order.key]))
        for order in orders
        if isinstance(outcomes[order.key], BaseException)
    ]
    if failures:
        error = StageFailedError(
            f"{name} failed for {len(failures)} of {len(orders)} task runs; everything finished is kept, so the "
            f"same command goes on from here. {told(failures)}"
        )
        error.names = tuple(f"{name} {label}" for label, _ in failures)
        raise error
    return [outcomes[order.key] for order in orders]


def paths_of(orders: Sequence[StageOrder]) -> list[str]:
    """The artefacts that orders make."""
    return [order.path for order in orders]


def outcomes_of(
    name: str,
    body: Body,
    orders: Sequence[StageOrder],
    complete: Mapping[str, bool],
    runner: Runner,
    watch: StageWatch,
) -> dict[str, Any]:
    """Run all orders: the result of each, or what it failed with, by key."""
    outcomes: dict[str, Any] = {}
    for order, outcome in runner.outcomes(name, body, orders, complete):
        outcomes[order.key] = outcome
        if not complete[order.key] and not isinstance(outcome, BaseException):
            progress.settle(name, order.key, order.size)
            watch.advance(order.size)
    return outcomes


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
