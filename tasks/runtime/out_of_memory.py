"""On CUDA out of memory: halve the batch, finally fall back to the CPU. Slower, but the lot gets its scores.

The plan keeps shards and batches within what the GPU has; this is for the night when another program holds part of it.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

log = logging.getLogger(__name__)

Result = TypeVar("Result")


def in_parts(compute: Callable[[int, int], Result], start: int, stop: int) -> list[Result]:
    """Compute [start, stop) in one go, or in ever smaller halves where the GPU's memory does not hold it.

    Args:
        compute: takes the start and the stop of a part.
        stop: of the whole, above start.

    Returns:
        The results of the parts, in order.

    Raises:
        torch.OutOfMemoryError: if a part of one is still too much.
    """
    try:
        return [compute(start, stop)]
    except torch.OutOfMemoryError as error:
        if stop - start < 2:
            raise
        log.warning("CUDA out of memory with %d images; retrying with half: %s", stop - start, error)
    # Only here, with the error and all that its traceback holds gone, can memory be given back.
    torch.cuda.empty_cache()
    middle = (start + stop) // 2
    return in_parts(compute, start, middle) + in_parts(compute, middle, stop)


def halve_on_out_of_memory(
    fallback: Callable[[int, int], Result], compute: Callable[[int, int], Result], start: int, stop: int
) -> list[Result]:
    """As `in_parts`, with the CPU as the last resort for the whole.

    Args:
        fallback: computes [start, stop) without the GPU.
        stop: of the whole, above start.
    """
    try:
        return in_parts(compute, start, stop)
    except torch.OutOfMemoryError as error:
        log.warning("CUDA out of memory with a single image; falling back to the CPU: %s", error)
    torch.cuda.empty_cache()
    return [fallback(start, stop)]
