"""Bodies run by Dask workers, without Prefect: for commands where no API is configured, so that nobody could look."""

from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from flows import dask_cluster
from planning.resources import Engine
from planning.task_specs import Spec
from tasks.monitoring.monitor import Monitor
from tasks.runtime.packed_calls import pack, run_packed
from tasks.runtime.retries import with_retries
from tasks.runtime.runner import Body, InlineRunner

Result = TypeVar("Result")


@dataclass(frozen=True)
class DaskRunner:
    """See `tasks.runtime.runner.Runner`; what must run in this process does, all bodies on workers."""

    client: Any = None
    """A connected `distributed.Client`; None until it is opened."""
    resources: Mapping[str, float] = field(default_factory=dict)
    """What every task takes of its worker, such as its GPU."""
    monitor: Monitor = field(default_factory=Monitor)
    loads_models_here: bool = False

    def prepare(self, engine: Engine) -> None:
        dask_cluster.prepare(engine)

    def call(self, name: str, label: str, function: Callable[..., Result], *arguments: Any) -> Result:
        return with_retries(partial(function, *arguments))

    def outcomes(
        self, name: str, body: Body, specs: Sequence[Spec], complete: Mapping[str, bool]
    ) -> Iterator[tuple[Spec, Any]]:
        if self.client is None:  # stages after the workers are gone: the page, exports
            yield from InlineRunner().outcomes(name, body, specs, complete)
            return
        from distributed import as_completed

        submit = partial(self.client.submit, pure=False, resources=dict(self.resources) or None)
        futures = {
            submit(run_packed, pack(with_retries, partial(body, spec)), key=f"{name}-{spec.key}"): spec
            for spec in specs
        }
        for future in as_completed(list(futures), loop=self.client.loop):
            yield futures[future], outcome(future.result)

    @contextmanager
    def opened(self, engine: Engine, device: str) -> Iterator["DaskRunner"]:
        with dask_cluster.cluster(engine) as running, dask_cluster.connected(running) as (client, resources):
            yield replace(self, client=client, resources=resources)

    def shared(self, engine: Engine) -> AbstractContextManager[Engine]:
        return dask_cluster.cluster(engine)


def outcome(result: Callable[[], Any]) -> Any:
    """What a task run returned, or what it failed with; a worker's death is such an error, not the run's own."""
    try:
        return result()
    except (Exception, CancelledError) as error:
        return error
