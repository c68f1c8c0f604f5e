"""What is being done is said again while nothing else is, so that no one wonders whether a command hangs."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tasks.runtime.progress import Listener, StageProgress

OFTEN_SECONDS, SELDOM_SECONDS = 2.0, 10.0
"""Between two lines about one thing: at first, and once it has taken `SELDOM_SECONDS`."""


class Waiting:
    """The one thing that is being done, such as loading a network, until a stage goes on."""

    def __init__(self, say: Callable[[str], None], *, several_lots: bool = False) -> None:
        self.say, self.several_lots = say, several_lots
        self.lock = threading.Lock()
        self.what, self.began, self.due = "", 0.0, float("inf")

    def doing(self, what: str, *, at_once: bool = True) -> None:
        """Say what is done now; of several lots, or if not at once, only if it takes long."""
        with self.lock:
            self.what, self.began = what, time.monotonic()
            self.due = self.began + OFTEN_SECONDS
        if at_once and not self.several_lots:
            self.say(what)

    def until_progress(self, listener: Listener) -> Listener:
        """A listener of stages whose reports end the waiting."""

        def listen(progress: StageProgress) -> None:
            with self.lock:
                self.due = float("inf")
            listener(progress)

        return listen

    def say_again(self, now: float) -> None:
        """Say what is done and since when, if that is due."""
        with self.lock:
            if now < self.due:
                return
            seconds = now - self.began
            often = seconds < SELDOM_SECONDS and not self.several_lots
            self.due = now + (OFTEN_SECONDS if often else SELDOM_SECONDS)
            text = f"{self.what} {seconds:.0f} s"
        self.say(text)


@contextmanager
def waiting(say: Callable[[str], None], *, several_lots: bool = False) -> Iterator[Waiting]:
    """While the `with` block lasts, say again what is being done whenever it takes longer than 2 seconds."""
    over, now = threading.Event(), Waiting(say, several_lots=several_lots)

    def run() -> None:
        while not over.wait(OFTEN_SECONDS / 8):
            now.say_again(time.monotonic())

    thread = threading.Thread(target=run, name="waiting", daemon=True)
    thread.start()
    try:
        yield now
    finally:
        over.set()
        thread.join()
