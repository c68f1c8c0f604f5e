"""Task bodies as Prefect tasks: cached by their spec's key, repeated only when that can help.

The store decides what is done and Prefect's cache only labels runs as Cached: a spec whose artefact is complete
returns at once even without a cached state, and a fresh run is asked for where the artefact is gone though the state is
cached.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE, CacheKeyFnPolicy
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff

from tasks.runtime.retries import FIRST_DELAY_SECONDS, JITTER, RETRIES, is_transient


@cache
def cached_task(name: str, body: Callable[[Any], Any]) -> Task[[Any], Any]:
    """A function of one spec as a cached task called `<name> <spec.label>`, with a small JSON result."""
    return task(
        name=name,
        task_run_name=name + " {spec.label}",
        cache_policy=CacheKeyFnPolicy(cache_key_fn=spec_key),
        persist_result=True,
        result_serializer="json",
        **RETRIED,
    )(body)


def plain_task(name: str, label: str, function: Callable[..., Any]) -> Task[..., Any]:
    """A function as a task that runs every time, called `<name> <label>`."""
    return task(name=name, task_run_name=f"{name} {label}", cache_policy=NO_CACHE, **RETRIED)(function)


def spec_key(context: TaskRunContext, parameters: Mapping[str, Any]) -> str:
    """The cache key of a task run: two tasks given one spec keep apart."""
    return f"{context.task.name}-{parameters['spec'].key}"


def may_be_repeated(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task run may succeed when repeated."""
    return is_transient(state.result(raise_on_failure=False))


RETRIED: Mapping[str, Any] = {
    "retries": RETRIES,
    "retry_delay_seconds": exponential_backoff(backoff_factor=FIRST_DELAY_SECONDS),
    "retry_jitter_factor": JITTER,
    "retry_condition_fn": may_be_repeated,
}
"""How every task is repeated: as `tasks.runtime.retries.with_retries` does."""
