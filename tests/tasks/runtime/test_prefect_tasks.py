"""What is repeated and what is found again. Prefect is imported inside: see `tests/flows/conftest.py`."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest


@dataclass(frozen=True)
class Spec:
    """As little of a spec as a task needs."""

    key: str
    label: str = "cap"


def test_cached_task_is_repeated_with_growing_pauses() -> None:
    from tasks.runtime.prefect_tasks import cached_task, may_be_repeated

    def count(spec: Spec) -> dict[str, Any]:
        return {"key": spec.key}

    task = cached_task("count", count)
    assert (task.retries, task.retry_delay_seconds) == (3, [1, 2, 4])
    assert task.retry_condition_fn is may_be_repeated
    assert task.fn(Spec("a")) == {"key": "a"}
    assert cached_task("count", count) is task


@pytest.mark.parametrize(("error", "again"), [(OSError("i/o"), True), (ValueError("setting"), False)])
def test_prefect_repeats_what_is_transient(error: Exception, again: bool) -> None:
    from prefect.client.schemas.objects import TaskRun
    from prefect.states import Failed

    from tasks.runtime.prefect_tasks import cached_task, may_be_repeated

    task = cached_task("nothing", lambda spec: {})
    assert may_be_repeated(task, TaskRun.model_construct(), Failed(data=error)) == again


def test_spec_key_keeps_tasks_and_specs_apart() -> None:
    from tasks.runtime.prefect_tasks import spec_key

    def key(task: str, spec: str) -> str:
        context: Any = SimpleNamespace(task=SimpleNamespace(name=task))
        return spec_key(context, {"spec": Spec(spec)})

    assert key("extract", "a") == key("extract", "a")
    assert len({key("extract", "a"), key("extract", "b"), key("score", "a")}) == 3
