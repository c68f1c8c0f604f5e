"""What is repeated and what is found again. Prefect is imported inside: see `tests/flows/conftest.py`."""

import errno
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from storage.errors import IncompleteError, StorageError


@dataclass(frozen=True)
class Order:
    """As little of an order as a task needs."""

    key: str
    label: str = "cap"


def transient(error: Exception) -> bool:
    from prefect.client.schemas.objects import TaskRun
    from prefect.states import Failed

    from tasks.caching import cached_task, is_transient

    @cached_task("nothing")
    def do_nothing(order: Order) -> dict[str, Any]:
        return {}

    run = TaskRun.model_construct()
    return is_transient(do_nothing, run, Failed(data=error))


@pytest.mark.parametrize(
    "error", [OSError("i/o"), ConnectionResetError("gone"), TimeoutError("slow"), BlockingIOError("busy")], ids=repr
)
def test_errors_of_disk_and_network_may_pass(error: Exception) -> None:
    assert transient(error)


@pytest.mark.parametrize("name", ["EndpointConnectionError", "ConnectionClosedError", "ReadTimeoutError"])
def test_errors_of_an_object_store_may_pass(name: str) -> None:
    exceptions = pytest.importorskip("botocore.exceptions")
    assert transient(getattr(exceptions, name)(endpoint_url="http://127.0.0.1:1", error="refused"))


def test_missing_credentials_stay_missing() -> None:
    exceptions = pytest.importorskip("botocore.exceptions")
    assert not transient(exceptions.NoCredentialsError())


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EROFS, "Read-only file system"),
        FileNotFoundError("absent"),
        PermissionError("closed"),
        IsADirectoryError("folder"),
        NotADirectoryError("file"),
        StorageError("wrong"),
        IncompleteError("cut"),
        ValueError("setting"),
        MemoryError("small"),
        RuntimeError("fault"),
    ],
    ids=repr,
)
def test_errors_that_stay_are_not_repeated(error: Exception) -> None:
    assert not transient(error)


def test_cached_task_is_repeated_with_growing_pauses() -> None:
    from tasks.caching import cached_task, is_transient

    @cached_task("count")
    def count(order: Order) -> dict[str, Any]:
        return {"key": order.key}

    assert (count.retries, count.retry_delay_seconds) == (3, [1, 2, 4])
    assert count.retry_condition_fn is is_transient
    assert count.fn(Order("a")) == {"key": "a"}


def test_order_key_keeps_tasks_and_orders_apart() -> None:
    from tasks.caching import order_key

    def key(task: str, order: str) -> str:
        context: Any = SimpleNamespace(task=SimpleNamespace(name=task))
        return order_key(context, {"order": Order(order)})

    assert key("extract", "a") == key("extract", "a")
    assert len({key("extract", "a"), key("extract", "b"), key("score", "a")}) == 3
