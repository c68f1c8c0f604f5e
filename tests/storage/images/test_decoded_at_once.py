"""Decoded photographs that threads hold at once never take more than is allowed, except one alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage.images.decoded_at_once import BYTES_PER_PIXEL, InFlight
from storage.images.lots import ListedImage


def photograph(width: int, height: int) -> ListedImage:
    return ListedImage("i", "i.png", "", width, height, "ok", "")


@pytest.mark.parametrize(
    ("sides", "most_at_once"), [([100] * 12, 4), ([1000] * 6, 1), ([1000, 100, 100, 1000, 100] * 3, 4)]
)
def test_threads_hold_no_more_than_is_allowed(sides: list[int], most_at_once: int) -> None:
    allowed = InFlight(4 * 100 * 100 * BYTES_PER_PIXEL)
    held: list[int] = []
    seen: list[tuple[int, int]] = []
    lock = threading.Lock()
    full = threading.Barrier(4)

    def work(side: int) -> None:
        with allowed.holding(photograph(side, side)):
            with lock:
                held.append(side)
                seen.append((len(held), sum(one * one * BYTES_PER_PIXEL for one in held)))
            if set(sides) == {100}:
                full.wait(10)  # four of them must be held at the same time, or this breaks
            with lock:
                held.remove(side)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, sides))
    assert len(seen) == len(sides)
    assert max(count for count, _ in seen) <= most_at_once
    assert all(size <= allowed.most_bytes or count == 1 for count, size in seen)
    assert allowed.held_bytes == 0


def test_photograph_is_given_back_after_an_error() -> None:
    allowed = InFlight(10)
    with pytest.raises(OSError, match="gone"), allowed.holding(photograph(99, 99)):
        raise OSError("gone")
    with allowed.holding(photograph(99, 99)):
        assert allowed.held_bytes == 99 * 99 * BYTES_PER_PIXEL
