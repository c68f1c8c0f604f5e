"""Prefect's task runner for Dask whose scheduler gets tasks as bytes, and so imports neither Prefect nor torch.

Dask's scheduler unpickles what it is given to run: one that is started by itself would import all that tasks need while
its workers and clients wait for answers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from distributed import Client, Future
from prefect_dask import DaskTaskRunner
from prefect_dask.client import PrefectDaskClient

from flows.dask_cluster import connected
from planning.resources import Engine
from tasks.runtime.packed_calls import pack, run_packed

OF_DASK = {"key", "workers", "resources", "retries", "priority", "fifo_timeout", "allow_other_workers"}
"""Arguments of `Client.submit` that are Dask's own and no argument of the call."""
OF_ACTORS = {"actor", "actors", "pure"}
"""Those that have no meaning for a task run."""


class PackedCalls(Client):
    """A client that sends every call as bytes."""

    def submit(self, func: Callable[..., Any], *args: Any, **given: Any) -> Future[Any]:
        """Submit a call; see `distributed.Client.submit`."""
        options = {name: value for name, value in given.items() if name in OF_DASK}
        named = {name: value for name, value in given.items() if name not in OF_DASK | OF_ACTORS}
        return super().submit(run_packed, pack(func, *args, **named), pure=False, **options)


class PackedTasks(PrefectDaskClient, PackedCalls):
    """Prefect's client, which makes a call of a task and hands it on to be packed."""


@contextmanager
def connected_runner(engine: Engine) -> Iterator[tuple[DaskTaskRunner, dict[str, float]]]:
    """A started task runner of the engine's scheduler, and what every task takes of its worker."""
    with connected(engine, PackedTasks) as (client, resources):
        runner = DaskTaskRunner(address=engine.dask_address)
        runner._client = cast(PackedTasks, client)  # else it would connect a client of its own, that packs nothing
        with runner:
            yield runner, resources
