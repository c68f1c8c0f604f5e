"""Notify of flagged photographs by a webhook or another callable; errors never stop scoring."""

import json
import logging
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from storage.results.arrivals import Arrivals

log = logging.getLogger(__name__)

Tell = Callable[[Mapping[str, Any]], None]
DELAYS_SECONDS = (1.0, 4.0, 16.0)
"""Before each further attempt."""
PATIENCE_SECONDS = 10.0
"""For an answer of the webhook, and for what is left to tell at the end."""


def webhook(url: str) -> Tell:
    """Posts a row as JSON to a URL.

    Raises:
        ValueError: unless the URL is one of HTTP.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError("webhook must be a URL that begins with http:// or https://, got another; give the whole URL")

    def post(row: Mapping[str, Any]) -> None:
        content = json.dumps(row).encode()
        asked = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method="POST")
        try:
            urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS).close()  # nosec B310: the scheme was checked above
        except urllib.error.HTTPError as error:
            error.close()
            raise

    return post


class Teller:
    """Sends rows from a thread of its own, with retries; rows that could not be sent are sent after the next start."""

    def __init__(self, arrivals: Arrivals, tells: Sequence[Tell], delays: Sequence[float] = DELAYS_SECONDS) -> None:
        self.arrivals, self.tells, self.delays = arrivals, tells, delays
        self.rows: queue.SimpleQueue[tuple[str, Mapping[str, Any]] | None] = queue.SimpleQueue()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def tell(self, name: str, row: Mapping[str, Any]) -> None:
        """Tell of a row soon, if anybody wants to know."""
        if self.tells:
            self.rows.put((name, row))

    def close(self) -> None:
        """Tell what is left, once each, for a few seconds at most."""
        self.ending.set()
        self.rows.put(None)
        self.thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        while (item := self.rows.get()) is not None:
            name, row = item
            told = [self._told(tell, row) for tell in self.tells]  # each of them, also if another failed
            if all(told):
                self.arrivals.mark_told(name)

    def _told(self, tell: Tell, row: Mapping[str, Any]) -> bool:
        for delay in (*self.delays, None):
            try:
                tell(row)
            except Exception as error:  # errors of a receiver must not stop scoring
                if delay is None or self.ending.wait(delay):
                    log.warning("%s was not told (%s); it is tried again after the next start", row["path"], error)
                    return False
            else:
                return True
        return False
