"""How many decoded photographs are held at once: large ones one after the other, small ones side by side."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

MOST_BYTES = 256_000_000
"""Of decoded photographs that the threads of a process work on at once; one that is larger is worked on alone."""
BYTES_PER_PIXEL = 4
"""Of RGB as Pillow holds it."""


class Sized(Protocol):
    """What is known of a photograph before it is decoded."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...


class InFlight:
    """Lets threads hold decoded photographs of so many bytes together, and always one."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes, self.held_bytes = most_bytes, 0
        self.freed = threading.Condition()

    @contextmanager
    def holding(self, image: Sized) -> Iterator[None]:
        """Wait until a photograph may be decoded. Whoever holds one must not ask for another before."""
        size = image.width * image.height * BYTES_PER_PIXEL
        with self.freed:
            self.freed.wait_for(lambda: not self.held_bytes or self.held_bytes + size <= self.most_bytes)
            self.held_bytes += size
        try:
            yield
        finally:
            with self.freed:
                self.held_bytes -= size
                self.freed.notify_all()


IN_FLIGHT = InFlight()
"""Of this process."""
