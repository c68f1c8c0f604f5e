"""Runners: where task bodies run, and which monitor observes them; the pipeline works with any of them.

| runner | bodies run |
|---|---|
| `InlineRunner` | in this process, one after the other, without Prefect |
| `flows.dask_runner.DaskRunner` | by Dask workers, without Prefect |
| `flows.runners.PrefectRunner` | as Prefect tasks, by a thread of this process or by Dask workers |
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from planning.resources import Engine
from planning.task_specs import Spec
from tasks.monitoring.monitor import Monitor
from tasks.runtime.retries import with_retries

Body = Callable[[Any], Any]
"""One task spec -> a small reference to what is stored (`planning.task_results`)."""
Result = TypeVar("Result")


class Runner(Protocol):
    """Where bodies run."""

    @property
    def monitor(self) -> Monitor: ...

    @property
    def loads_models_here(self) -> bool:
        """Whether bodies run in this process, so that a model loaded ahead is the one they use."""
        ...

    def prepare(self, engine: Engine) -> None:
        """Begin what takes workers of this machine long to start, while other things are done; returns at once."""
        ...

    def call(self, name: str, label: str, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function as a task of its own, called `<name> <label>`, repeated after transient errors."""
        ...

    def outcomes(
        self, name: str, body: Body, specs: Sequence[Spec], complete: Mapping[str, bool]
    ) -> Iterator[tuple[Spec, Any]]:
        """Run a body on every spec: each spec with its result, or with what it failed with, as they end.

        Args:
            complete: whether the artefact of a spec is in the store, by key.
        """
        ...

    def opened(self, engine: Engine, device: str) -> "AbstractContextManager[Runner]":
        """The runner of an engine, open while the `with` block lasts, once the devices are free.

        Args:
            device: as the user names it.
        """
        ...

    def shared(self, engine: Engine) -> AbstractContextManager[Engine]:
        """The engine with workers that serve several lots and end with the `with` block."""
        ...


@dataclass(frozen=True)
class InlineRunner:
    """Bodies are called directly, one after the other: torch spreads each over the CPU by itself."""

    monitor: Monitor = field(default_factory=Monitor)
    loads_models_here: bool = True

    def prepare(self, engine: Engine) -> None:
        """Nothing: there are no workers."""

    def call(self, name: str, label: str, function: Callable[..., Result], *arguments: Any) -> Result:
        return with_retries(partial(function, *arguments))

    def outcomes(
        self, name: str, body: Body, specs: Sequence[Spec], complete: Mapping[str, bool]
    ) -> Iterator[tuple[Spec, Any]]:
        for spec in specs:
            try:
                yield spec, with_retries(partial(body, spec))
            except Exception as error:  # the others still run; the stage says at its end what failed
                yield spec, error

    def opened(self, engine: Engine, device: str) -> "AbstractContextManager[Runner]":
        return nullcontext(self)

    def shared(self, engine: Engine) -> AbstractContextManager[Engine]:
        return nullcontext(engine)
