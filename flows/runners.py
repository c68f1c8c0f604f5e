"""Prefect's runner: bodies as cached tasks, by a thread of this process or by Dask workers.

A runner in the flow's decorator would be the same for every run. Opening it inside the flow lets the parameter `engine`
decide, in a deployment as on the command line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from prefect.client.orchestration import get_client
from prefect.futures import PrefectFuture, as_completed
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows import dask_cluster
from flows.devices.limit import holding
from flows.devices.names import limit_names
from flows.one_thread import one_at_a_time
from planning.resources import Engine
from planning.task_specs import Spec
from tasks.monitoring.monitor import Monitor
from tasks.monitoring.prefect_monitor import PrefectMonitor
from tasks.runtime.prefect_tasks import cached_task, plain_task
from tasks.runtime.runner import Body

Result = TypeVar("Result")


@contextmanager
def opened(engine: Engine) -> Iterator[TaskRunner[Any]]:
    """A started task runner for an engine; tasks are told the address of Prefect's embedded server, if that runs."""
    with ExitStack() as stack:
        if engine.name != "dask":
            yield stack.enter_context(one_at_a_time())
            return
        import dask

        from flows.packed_tasks import connected_runner

        running = stack.enter_context(dask_cluster.cluster(engine, dask_cluster.OF_PREFECT))
        with get_client(sync_client=True) as client:
            stack.enter_context(temporary_settings({PREFECT_API_URL: str(client.api_url)}))
        runner, resources = stack.enter_context(connected_runner(running))
        stack.enter_context(dask.annotate(resources=resources) if resources else nullcontext())
        yield runner


@dataclass(frozen=True)
class PrefectRunner:
    """Bodies run as Prefect tasks, which the UI shows; see `tasks.runtime.runner.Runner`."""

    task_runner: TaskRunner[Any] | None = None
    """A started one; None is that of the flow."""
    monitor: Monitor = field(default_factory=PrefectMonitor)

    @property
    def loads_models_here(self) -> bool:
        return self.task_runner is None or isinstance(self.task_runner, ThreadPoolTaskRunner)

    def prepare(self, engine: Engine) -> None:
        dask_cluster.prepare(engine, dask_cluster.OF_PREFECT)

    def call(self, name: str, label: str, function: Callable[..., Result], *arguments: Any) -> Result:
        return cast(Result, plain_task(name, label, function)(*arguments))

    def outcomes(
        self, name: str, body: Body, specs: Sequence[Spec], complete: Mapping[str, bool]
    ) -> Iterator[tuple[Spec, Any]]:
        futures: dict[PrefectFuture[Any], Spec] = {}
        for spec in specs:
            fresh = cached_task(name, body).with_options(refresh_cache=not complete[spec.key])
            submitted = self.task_runner.submit(fresh, {"spec": spec}) if self.task_runner else fresh.submit(spec)
            futures[submitted] = spec
        for future in as_completed(list(futures)):
            yield futures[future], outcome(future)

    @contextmanager
    def opened(self, engine: Engine, device: str) -> Iterator["PrefectRunner"]:
        with holding(limit_names(device, engine)), opened(engine) as task_runner:
            yield replace(self, task_runner=task_runner)

    def shared(self, engine: Engine) -> AbstractContextManager[Engine]:
        return dask_cluster.cluster(engine, dask_cluster.OF_PREFECT)


def outcome(future: PrefectFuture[Any]) -> Any:
    """What a task run returned, or what it failed with; a worker's death is such an error, not the flow's own."""
    try:
        return future.result(raise_on_failure=False)
    except Exception as error:
        return error
