"""Dask's scheduler and workers on this machine, without Prefect: how they start, and what each has to itself.

Workers are forked from one process that has imported what tasks need, so that torch is imported once and not by every
worker, and while this process lists photographs. Where processes cannot be forked so, each worker imports by itself.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing import forkserver
from typing import TYPE_CHECKING, TypedDict

from flows.devices.names import visible_gpus
from musc.backbones.devices import thread_count
from planning.resources import GPU, Engine

if TYPE_CHECKING:
    from distributed import Client

WORKER: dict[str, object] = {"nthreads": 1, "memory_limit": 0, "silence_logs": logging.ERROR}
"""Every worker runs one task at a time. The plan bounds its memory; Dask's own limit, the machine's memory
divided by its cores, would kill workers that hold a large model."""
NEEDED = ("distributed", "flows.pipelines.scoring")
"""What every worker imports."""
OF_PREFECT = ("prefect.task_engine", "prefect.logging.handlers", "tasks.runtime.prefect_tasks")
"""What they import beside it where Prefect runs the tasks."""
PATIENCE = {"distributed.comm.timeouts.connect": "120s", "distributed.comm.timeouts.tcp": "120s"}
"""A machine that is busy importing answers late."""
CONNECT_SECONDS, WORKER_SECONDS = 60, 120
"""How long a scheduler may take to answer, and its first worker to come."""
can_fork = sys.platform == "linux"


class WorkerOptions(TypedDict, total=False):
    """Options of a worker's nanny."""

    env: dict[str, str]
    resources: dict[str, float]


def prepare(engine: Engine, further: Sequence[str] = ()) -> None:
    """Begin to import what workers of this machine need, in the process they will be forked from; returns at once.

    Does nothing for another engine, for workers elsewhere, or when called again.

    Args:
        further: modules beside `NEEDED`.
    """
    if engine.name != "dask" or engine.dask_address is not None or not can_fork:
        return
    forkserver.set_forkserver_preload([*NEEDED, *further])
    with environment(threads_of(engine)), ignoring_ctrl_c():
        forkserver.ensure_running()


@contextmanager
def cluster(engine: Engine, further: Sequence[str] = ()) -> Iterator[Engine]:
    """The engine with a scheduler's address, whose workers live while the `with` block lasts; threads need none.

    A flow over many lots opens one cluster for all of them, so that every worker loads the model once.

    Args:
        further: modules that workers import beside `NEEDED`.
    """
    if engine.name != "dask" or engine.dask_address is not None:
        yield engine
        return
    prepare(engine, further)
    import dask
    from distributed import Nanny, Scheduler, SpecCluster

    keep_dask_quiet()
    # Any free port, on loopback: Dask's fixed one is taken where two clusters run on a machine.
    local = {"host": "127.0.0.1", "port": 0, "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    scheduler = {"cls": Scheduler, "options": local}
    workers = {
        number: {"cls": Nanny, "options": {**local, **WORKER, **worker_options(engine, number)}}
        for number in range(engine.workers)
    }
    with ExitStack() as stack:
        method = {"distributed.worker.multiprocessing-method": "forkserver" if can_fork else "spawn"}
        stack.enter_context(dask.config.set({**PATIENCE, **method}))
        opened = stack.enter_context(SpecCluster(workers, scheduler, silence_logs=WORKER["silence_logs"]))
        yield replace(engine, dask_address=opened.scheduler_address)


@contextmanager
def connected(
    engine: Engine, client_class: type["Client"] | None = None
) -> Iterator[tuple["Client", dict[str, float]]]:
    """A client of the engine's scheduler, and what every task takes of its worker: its GPU, if it has one to itself.

    Args:
        client_class: of the client; Dask's own unless given.

    Raises:
        ConnectionError: if there is no scheduler, or none with workers.
    """
    import dask
    from distributed import Client

    keep_dask_quiet()
    address, advice = engine.dask_address, "start `dask scheduler` and `dask worker ADDRESS`, or leave out dask_address"
    with dask.config.set(PATIENCE), ExitStack() as stack:
        try:
            client = stack.enter_context(
                (client_class or Client)(address, timeout=CONNECT_SECONDS, set_as_default=False)
            )
        except (OSError, TimeoutError) as error:
            raise ConnectionError(
                f"dask_address must be that of a running scheduler, got {address}, where none answered in "
                f"{CONNECT_SECONDS} s ({error}); {advice}"
            ) from error
        try:
            client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError as error:
            raise ConnectionError(
                f"dask_address must be that of a scheduler with workers, got {address}, where none came in "
                f"{WORKER_SECONDS} s; {advice}"
            ) from error
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        yield client, {GPU: 1} if any(worker["resources"].get(GPU) for worker in workers) else {}


def worker_options(engine: Engine, number: int) -> WorkerOptions:
    """Options of one worker: its own GPU, or its fraction of the CPU's threads."""
    if engine.gpus:
        return {"env": {"CUDA_VISIBLE_DEVICES": visible_gpus(engine.gpus)[number]}, "resources": {GPU: 1}}
    return {"env": threads_of(engine)}


def threads_of(engine: Engine) -> dict[str, str]:
    """The variable that gives a worker without a GPU its fraction of the CPU's threads."""
    return {} if engine.gpus else {"OMP_NUM_THREADS": str(max(1, thread_count() // engine.workers))}


def keep_dask_quiet() -> None:
    """Show only errors of Dask's log, which reports every connection and warns when workers end as planned."""
    logging.getLogger("distributed").setLevel(logging.ERROR)


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Variables as a process that is started meanwhile sees them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def ignoring_ctrl_c() -> Iterator[None]:
    """A process that is started meanwhile leaves Ctrl-C to this one, whose end ends it too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
