"""Read ahead: the next piece is fetched by a thread while the present one is computed with."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


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
