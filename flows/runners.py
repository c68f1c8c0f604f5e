"""Prefect's runner: bodies as cached tasks, by a thread of this process or by Dask workers.

A runner in the flow's decorator would be the same for every run. Opening it inside the flow lets the parameter `engine`
decide, in a deployment as on the command line.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from prefect.client.orchestration import get_client
from prefect.futures import PrefectFuture, as_completed
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from musc.backbones.devices import thread_count
from planning.resources import GPU, Engine
from planning.task_specs import Spec
from tasks.monitoring.monitor import Monitor
from tasks.monitoring.prefect_monitor import PrefectMonitor
from tasks.runtime.prefect_tasks import cached_task, plain_task
from tasks.runtime.runner import Body

Result = TypeVar("Result")

WORKER: dict[str, object] = {"nthreads": 1, "memory_limit": 0, "silence_logs": logging.ERROR}
"""Every worker runs one task at a time. The plan bounds its memory; Dask's own limit, the machine's memory
divided by its cores, would kill workers that hold a large model."""


def one_at_a_time() -> TaskRunner[Any]:
    """One worker thread; torch parallelises inside a task."""
    return ThreadPoolTaskRunner(max_workers=1)


@contextmanager
def cluster(engine: Engine) -> Iterator[Engine]:
    """The engine with a scheduler's address, whose workers live while the `with` block lasts; threads need none.

    A flow over many lots opens one cluster for all of them, so that every worker loads the model once.
    """
    if engine.name != "dask" or engine.dask_address is not None:
        yield engine
        return
    from distributed import Nanny, Scheduler, SpecCluster

    keep_dask_quiet()
    # Any free port, on loopback: Dask's fixed one is taken where two clusters run on a machine.
    local = {"host": "127.0.0.1", "port": 0, "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    scheduler = {"cls": Scheduler, "options": local}
    workers = {
        number: {"cls": Nanny, "options": {**local, **WORKER, **worker_options(engine, number)}}
        for number in range(engine.workers)
    }
    with SpecCluster(workers, scheduler, silence_logs=WORKER["silence_logs"]) as cluster_of_workers:
        yield replace(engine, dask_address=cluster_of_workers.scheduler_address)


def worker_options(engine: Engine, number: int) -> dict[str, object]:
    """Options of one worker: its own GPU, or its fraction of the CPU's threads."""
    if engine.gpus:
        return {"env": {"CUDA_VISIBLE_DEVICES": visible_gpus(engine.gpus)[number]}, "resources": {GPU: 1}}
    return {"env": {"OMP_NUM_THREADS": str(max(1, thread_count() // engine.workers))}}


def visible_gpus(count: int) -> list[str]:
    """How CUDA names the GPUs this process may use."""
    names = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return (names or [str(number) for number in range(count)])[:count]


def keep_dask_quiet() -> None:
    """Show only errors of Dask's log, which reports every connection and warns when workers end as planned."""
    logging.getLogger("distributed").setLevel(logging.ERROR)


@contextmanager
def opened(engine: Engine) -> Iterator[TaskRunner[Any]]:
    """A started task runner for an engine; tasks are told the address of Prefect's embedded server, if that runs."""
    with ExitStack() as stack:
        if engine.name != "dask":
            yield stack.enter_context(one_at_a_time())
            return
        import dask
        from prefect_dask import DaskTaskRunner

        keep_dask_quiet()
        address = stack.enter_context(cluster(engine)).dask_address
        with get_client(sync_client=True) as client:
            stack.enter_context(temporary_settings({PREFECT_API_URL: str(client.api_url)}))
        runner = stack.enter_context(DaskTaskRunner(address=address))
        workers = runner.client.scheduler_info()["workers"].values()
        has_gpus = any(worker["resources"].get(GPU) for worker in workers)
        stack.enter_context(dask.annotate(resources={GPU: 1}) if has_gpus else nullcontext())
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
    def opened(self, engine: Engine) -> Iterator["PrefectRunner"]:
        with opened(engine) as task_runner:
            yield replace(self, task_runner=task_runner)

    def shared(self, engine: Engine) -> AbstractContextManager[Engine]:
        return cluster(engine)


def outcome(future: PrefectFuture[Any]) -> Any:
    """What a task run returned, or what it failed with; a worker's death is such an error, not the flow's own."""
    try:
        return future.result(raise_on_failure=False)
    except Exception as error:
        return error
