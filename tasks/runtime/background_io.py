"""Input and output beside computation: a background writer, read-ahead, and pinned copies to and from a GPU."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

Item = TypeVar("Item")
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


def read_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items in the same order, always one of them ahead of the one in use.

    Args:
        items: each step of it waits for the disk or the network; it is only ever advanced by one thread.

    Raises:
        Exception: what `items` raises, in its turn.
    """
    source, end = iter(items), object()
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, source, end)
        while (item := coming.result()) is not end:
            coming = reader.submit(next, source, end)
            yield item  # type: ignore[misc]


def to_device(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the host on a device; a GPU may still be copying when this returns."""
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def to_host(values: torch.Tensor) -> torch.Tensor:
    """A tensor on the host, its values complete."""
    if values.device.type != "cuda":
        return values.cpu()
    pinned = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    pinned.copy_(values, non_blocking=True)
    torch.cuda.current_stream(values.device).synchronize()
    return pinned
