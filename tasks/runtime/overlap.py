"""Do slow calls behind the caller's back: one thread, in order, a few at a time, and no error lost."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

Submit = Callable[..., None]
"""`submit(action, *arguments)` returns at once, or as soon as no more than the allowed number of calls wait."""


@contextmanager
def background_writer(waiting: int = 1) -> Iterator[Submit]:
    """Run submitted calls one after the other in a thread, all of them before the `with` block ends.

    Args:
        waiting: calls that may wait while one runs; a caller with more of them is held up, so that memory is bounded.

    Raises:
        Exception: the first error of any call, at a later `submit` or at the end of the block; calls after it, and
            those that wait when the block itself fails, are not begun.
    """
    calls: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(1) as thread:

        def submit(action: Callable[..., object], *arguments: object) -> None:
            while len(calls) > waiting or (calls and calls[0].done()):
                calls.popleft().result()
            calls.append(thread.submit(action, *arguments))

        try:
            yield submit
            while calls:
                calls.popleft().result()
        finally:
            thread.shutdown(wait=False, cancel_futures=True)
