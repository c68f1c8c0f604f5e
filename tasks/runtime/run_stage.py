"""Run all task specs of one stage, wait for every one, and only then report failures."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from planning.task_specs import Spec
from storage.artefacts import is_complete
from storage.disk_space import describe_space, is_full
from storage.leases import Lease
from storage.store import Store
from tasks.monitoring.monitor import StageWatch
from tasks.runtime import progress
from tasks.runtime.lost_workers import describe_error, is_lost
from tasks.runtime.runner import Runner

log = logging.getLogger(__name__)

AnySpec = TypeVar("AnySpec", bound=Spec)
Result = TypeVar("Result")


class StageFailedError(RuntimeError):
    """Some task runs of a stage failed; whatever the others made is kept."""

    names: tuple[str, ...] = ()
    """Of the task runs that failed."""
    is_disk_full: bool = False
    """Whether any of them found no room on the store's disk."""


def run_stage(
    name: str,
    body: Callable[[AnySpec], Result],
    specs: Sequence[AnySpec],
    runner: Runner,
    *,
    ahead: Callable[[Sequence[AnySpec]], None] | None = None,
    lease: Lease | None = None,
) -> list[Result]:
    """Run a body on every spec and return the results in the same order.

    Args:
        name: of the stage, such as `extract`.
        body: what to run; specs whose artefact is complete end at once.
        ahead: called once with the specs whose artefact is not complete, if any, before the first is submitted; what
            it raises ends the stage as it is.
        lease: gets the artefacts that the stage makes, before it begins.

    Raises:
        StageFailedError: after all task runs have ended, naming each that failed and why.
    """
    if not specs:
        return []
    if lease:
        lease.add([spec.path for spec in specs])
    complete = {spec.key: is_complete(Store(spec.store), spec.path) for spec in specs}
    total, done = sum(spec.size for spec in specs), sum(spec.size for spec in specs if complete[spec.key])
    category, unit = specs[0].category, specs[0].unit
    progress.begin(name, total, unit, done, category)
    watch = runner.monitor.begin_stage(name, total, done, category, unit)
    missing = [spec for spec in specs if not complete[spec.key]]
    for spec in specs:
        if complete[spec.key]:
            log.debug("%s %s: %s is reused", name, spec.label, spec.path)
    log.info("%s: %d of %d artefacts are in the store already", name, len(specs) - len(missing), len(specs))
    if ahead and missing:
        ahead(missing)
    outcomes = outcomes_of(name, body, specs, complete, runner, watch)
    for spec in [spec for spec in specs if is_lost(outcomes[spec.key])]:  # why alone: `tasks.runtime.lost_workers`
        log.warning("%s %s was lost with a Dask worker; it is run again alone", name, spec.label)
        outcomes.update(outcomes_of(name, body, [spec], complete, runner, watch))
    results = [(spec, outcomes[spec.key]) for spec in specs]
    failures = [(spec.label, describe_error(result)) for spec, result in results if isinstance(result, BaseException)]
    if failures:
        full = any(isinstance(outcome, BaseException) and is_full(outcome) for outcome in outcomes.values())
        space = f"; {describe_space(Store(specs[0].store))}" if full else ""
        error = StageFailedError(
            f"{name} failed for {len(failures)} of {len(specs)} task runs; everything finished is kept, so the "
            f"same command goes on from here. {format_failures(failures)}{space}"
        )
        error.is_disk_full = full
        error.names = tuple(f"{name} {label}" for label, _ in failures)
        raise error
    return [result for _, result in results if not isinstance(result, BaseException)]


def outcomes_of(
    name: str,
    body: Callable[[AnySpec], Result],
    specs: Sequence[AnySpec],
    complete: Mapping[str, bool],
    runner: Runner,
    watch: StageWatch,
) -> dict[str, Result | BaseException]:
    """Run all specs: the result of each, or what it failed with, by key."""
    outcomes: dict[str, Result | BaseException] = {}
    for spec, outcome in runner.outcomes(name, body, specs, complete):
        outcomes[spec.key] = outcome
        if not complete[spec.key] and not isinstance(outcome, BaseException):
            progress.settle(name, spec.key, spec.size)
            watch.advance(spec.size)
    return outcomes


def format_failures(failures: Sequence[tuple[str, str]]) -> str:
    """What failed and why, each reason once.

    >>> format_failures([("bottle", "no space left"), ("cable", "no space left"), ("screw", "no masks")])
    'bottle, cable: no space left; screw: no masks'
    """
    reasons: dict[str, list[str]] = {}
    for name, reason in failures:
        reasons.setdefault(reason, []).append(name)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
