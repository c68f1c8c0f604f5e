"""Progress of a run within this process; Prefect's UI gets its own from `tasks.monitoring.artifacts`.

Tasks report units of work as they do them (`advance`); when a task run ends its whole share is settled, so that work
found in the store, or done by another process, counts too.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class StageProgress:
    """One stage of a run: units planned, and done by each spec."""

    stage: str
    total: int
    unit: str
    """What is counted, such as images."""
    reused: int = 0
    """Units found complete before the stage began."""
    subject: str = ""
    """The category that is worked on."""
    done_by_spec: dict[str, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Units done, reused ones included."""
        return self.reused + sum(self.done_by_spec.values())


log = logging.getLogger(__name__)

Listener = Callable[[StageProgress], None]
TextListener = Callable[[str], None]

_listeners: list[Listener] = []
_action_listeners: list[TextListener] = []
_hint_listeners: list[TextListener] = []
_stages: dict[str, StageProgress] = {}
_lock = threading.RLock()


@contextmanager
def listening(
    listener: Listener, on_action: TextListener | None = None, on_hint: TextListener | None = None
) -> Iterator[None]:
    """While the `with` block lasts, tell what happens.

    Args:
        listener: called at every change of a stage.
        on_action: called with what `doing` says.
        on_hint: called with what `advise` says.
    """
    _listeners.append(listener)
    pairs = [(_action_listeners, on_action), (_hint_listeners, on_hint)]
    added = [(listeners, item) for listeners, item in pairs if item]
    for listeners, item in added:
        listeners.append(item)
    try:
        yield
    finally:
        for listeners, item in added:
            listeners.remove(item)
        if listener in _listeners:  # else it failed
            _listeners.remove(listener)


def doing(action: str) -> None:
    """Say what is being done that takes seconds and counts nothing, such as loading a network."""
    for on_action in _action_listeners:
        on_action(action)


def advise(hint: str) -> None:
    """Say once what a person may want to choose otherwise before much is computed."""
    for on_hint in _hint_listeners:
        on_hint(hint)


def begin(stage: str, total: int, unit: str, reused: int = 0, subject: str = "", *, done: int = 0) -> None:
    """A stage of `total` units starts for a subject, `reused` of which the store had, and `done` of which are done."""
    with _lock:
        _stages[stage] = StageProgress(stage, total, unit, reused, subject, {"": done} if done else {})
        _announce(stage)


def advance(stage: str, spec_key: str, units: int) -> None:
    """A spec has done some more units; ignored in a process that does not run the flow."""
    with _lock:
        if stage in _stages:
            done = _stages[stage].done_by_spec
            done[spec_key] = done.get(spec_key, 0) + units
            _announce(stage)


def settle(stage: str, spec_key: str, units: int) -> None:
    """A spec is done: its units are exactly these, however many were reported on the way."""
    with _lock:
        _stages[stage].done_by_spec[spec_key] = units
        _announce(stage)


def _announce(stage: str) -> None:
    """Tell all listeners; one that fails is told nothing more, since what is only looked at may cost no result."""
    for listener in list(_listeners):
        try:
            listener(_stages[stage])
        except Exception as error:
            _listeners.remove(listener)
            log.warning("progress is no longer shown: %s: %s", type(error).__name__, error)
