"""Calls done behind the caller: all of them, in order, few at a time, and their errors come out."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.runtime import background_io as behind_module
from tasks.runtime.background_io import background_writer

PATIENCE_SECONDS = 120


class DiskFullError(OSError):
    """An error of a call."""


def test_calls_are_done_in_order_before_the_block_ends() -> None:
    done: list[int] = []
    with background_writer() as behind:
        for number in range(20):
            behind(done.append, number)
    assert done == list(range(20))


def test_caller_does_not_wait_for_a_call() -> None:
    released = threading.Event()
    with background_writer() as behind:
        behind(released.wait, PATIENCE_SECONDS)
        released.set()  # reached while the call still runs, or the call would take its whole patience
    assert released.is_set()


def test_caller_is_held_up_while_too_many_calls_wait() -> None:
    begun, released = threading.Event(), threading.Event()
    submitted: list[int] = []

    def submit_all() -> None:
        with background_writer(waiting=1) as behind:
            for number in range(4):
                behind(lambda: begun.set() or released.wait(PATIENCE_SECONDS))
                submitted.append(number)

    caller = threading.Thread(target=submit_all)
    caller.start()
    assert begun.wait(PATIENCE_SECONDS)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(submitted) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    caller.join(0.3)  # time to submit the others if nothing held it up
    held_up_at = list(submitted)
    released.set()
    caller.join(PATIENCE_SECONDS)
    assert held_up_at == [0, 1]
    assert submitted == [0, 1, 2, 3]


def test_error_of_the_last_call_comes_out_at_the_end() -> None:
    def fail() -> None:
        raise DiskFullError("no space")

    with pytest.raises(DiskFullError, match="no space"), background_writer() as behind:
        behind(fail)


def test_error_stops_the_caller_and_the_calls_that_wait() -> None:
    done: list[int] = []

    def fail() -> None:
        raise DiskFullError("no space")

    with pytest.raises(DiskFullError), background_writer(waiting=1) as behind:
        behind(fail)
        for number in range(1000):
            behind(done.append, number)
    assert len(done) < 1000


def test_error_of_the_block_is_kept_and_waiting_calls_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, released = threading.Event(), threading.Event()
    done: list[int] = []

    class Releasing(ThreadPoolExecutor):
        """Lets the first call end as soon as the executor was told to stop."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            released.set()
            super().shutdown(wait=wait)

    def first() -> None:
        begun.set()
        released.wait(PATIENCE_SECONDS)

    def fill_and_fail() -> None:
        with background_writer(waiting=1) as behind:
            behind(first)
            behind(done.append, 1)
            begun.wait(PATIENCE_SECONDS)
            raise KeyError("block")

    monkeypatch.setattr(behind_module, "ThreadPoolExecutor", Releasing)
    with pytest.raises(KeyError, match="block"):
        fill_and_fail()
    assert done == []
