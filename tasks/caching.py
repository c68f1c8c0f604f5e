"""What makes a Prefect task of this project: cached by its order's key, retried only when that can help.

The store is the truth and Prefect's cache is for the eye: an order whose artefact is complete returns at once even
without a cached state, and `tasks.stage` asks for a fresh run where the artefact is gone though the state is cached.
"""

import errno
from collections.abc import Callable
from typing import Any

from prefect import Task, task
from prefect.cache_policies import CacheKeyFnPolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff

from storage.errors import StorageError

FULL_OR_CLOSED = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
"""Disks that will be as full, or as read-only, in a few seconds: repeating only hides what a person has to mend."""
TRANSIENT_KINDS = {
    ("botocore.exceptions", "HTTPClientError"),
    ("botocore.exceptions", "ConnectionError"),
    ("fsspec.exceptions", "FSTimeoutError"),
}
"""Errors of the network that are no `OSError`, by name: what raises them is an optional extra."""

PERMANENT_ERRORS = (StorageError, FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
"""What no repetition mends, though some of it is an `OSError`."""


def cached_task(name: str) -> Callable[[Callable[[Any], dict[str, Any]]], Task[[Any], dict[str, Any]]]:
    """Make a function of one order a cached task called `<name> <order.label>`, with a small JSON result."""

    def decorate(function: Callable[[Any], dict[str, Any]]) -> Task[[Any], dict[str, Any]]:
        return task(
            name=name,
            task_run_name=name + " {order.label}",
            cache_policy=CacheKeyFnPolicy(cache_key_fn=order_key),
            persist_result=True,
            result_serializer="json",
            **RETRIED,
        )(function)

    return decorate


def order_key(context: TaskRunContext, parameters: dict[str, Any]) -> str:
    """The cache key of a task run: two tasks given one order keep apart."""
    return f"{context.task.name}-{parameters['order'].key}"


def is_transient(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task run may succeed when repeated: input and output may, wrong settings never will."""
    error = state.result(raise_on_failure=False)
    if isinstance(error, PERMANENT_ERRORS) or getattr(error, "errno", None) in FULL_OR_CLOSED:
        return False
    return isinstance(error, OSError) or any(
        (kind.__module__, kind.__name__) in TRANSIENT_KINDS for kind in type(error).__mro__
    )


RETRIED: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(backoff_factor=1),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
}
"""How every task of this project is retried: after about 1, 2 and 4 seconds, if that can help."""
