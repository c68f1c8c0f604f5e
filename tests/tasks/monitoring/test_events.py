"""Events say what happened to which lot."""

import pytest

from tasks.monitoring import events
from tasks.monitoring.events import emit_stopped


@pytest.mark.parametrize(
    "parameters",
    [
        {"folder": "/lots/bolt/7", "lot": "bolt-7", "category": "bolt"},
        {"folder": "/lots/bolt-7", "category": "bolt"},
        {"dataset": "mvtec_ad", "job": {"lot": "bolt-7", "category": "bolt"}, "seed": 0},
    ],
)
def test_stopped_lot_is_told_with_its_stages(parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    emitted: list[tuple[str, dict[str, str], dict[str, object]]] = []
    monkeypatch.setattr(
        events, "emit_event", lambda event, resource, payload: emitted.append((event, resource, payload))
    )
    tasks = ["score bolt layer 5 images 0-7", "extract bolt 0-7", "extract bolt 8-15"]
    emit_stopped("failed", "score bolt-7", parameters, tasks, "disk full")
    ((event, resource, payload),) = emitted
    assert event == "musc.lot.failed"
    assert resource["prefect.resource.id"] == "musc.lot.bolt.bolt-7"
    assert resource["musc.alert"] == "yes"
    assert payload == {
        "category": "bolt",
        "lot": "bolt-7",
        "stages": ["extract", "score"],
        "tasks": tasks,
        "reason": "disk full",
    }
