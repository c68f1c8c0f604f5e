"""Spread independent pieces of tensor work over the CPU, a thread each.

Torch would split every single product over all cores and wait for the slowest; where other work shares the machine that
costs several times the computation. Pieces that run side by side on one core each never wait for each other.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch


def for_each(action: Callable[[int], None], items: Sequence[int], device: torch.device) -> None:
    """Call `action` on every item: side by side on a CPU, with as many threads as torch has; in turn on a GPU.

    Args:
        action: works on tensors of `device`; calls must not depend on each other.
        items: what to call it with.
        device: where the tensors are.

    Raises:
        Exception: the first error of any call, after the others have ended.
    """
    thread_count = torch.get_num_threads()
    worker_count = min(thread_count, len(items)) if device.type == "cpu" else 1
    if worker_count <= 1:
        for item in items:
            action(item)
        return
    try:
        with ThreadPoolExecutor(worker_count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for _ in pool.map(action, items):
                pass
    finally:
        torch.set_num_threads(thread_count)


class Scratch(threading.local):
    """A tensor for each thread, made once and written over again: fresh memory costs as much as a small product."""

    held: torch.Tensor | None = None

    def rows(
        self, count: int, width: int, dtype: torch.dtype = torch.float32, device: torch.device | None = None
    ) -> torch.Tensor:
        """A contiguous (count, width) tensor of this thread: zeros when it is made, then what was left in it."""
        if self.held is None or self.held.numel() < count * width:
            self.held = torch.zeros(count * width, dtype=dtype, device=device)
        return self.held[: count * width].view(count, width)
