"""Notify of flagged photographs by a webhook or another callable; errors never stop scoring."""

import json
import logging
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from urllib.parse import urljoin, urlsplit

from storage.results.arrivals import Arrival, Arrivals

log = logging.getLogger(__name__)

Notify = Callable[[Arrival], None]
"""Sends one row to somebody, and raises what went wrong."""
RETRY_DELAYS_SECONDS = (1.0, 4.0, 16.0)
"""Before each further attempt."""
ANSWER_SECONDS = 10.0
"""For an answer of the webhook, and for what is left to send at the end."""


class MovedError(Exception):
    """The webhook answers that it is at another address; asking again cannot help."""


class KeepRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a post that is sent on becomes a GET without its content, so that the row would be lost."""

    def redirect_request(self, *_: object) -> None:
        """Leave the redirect to the caller, as an error."""


def webhook(url: str) -> Notify:
    """Posts a row as JSON to a URL; only an answer of 200 to 299 of that very URL counts as received.

    Raises:
        ValueError: unless the URL is one of HTTP without a user's name and password.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            "webhook must be a URL that begins with http:// or https://, got one that does not; give the whole URL"
        )
    if parts.username or parts.password:
        raise ValueError(
            f"webhook must go without a user's name and password, got some for {parts.hostname}; "
            "give an address whose path or query holds the receiver's token"
        )
    opener = urllib.request.build_opener(KeepRedirects)

    def post(row: Arrival) -> None:
        content = json.dumps(row).encode()
        request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method="POST")
        try:
            opener.open(request, timeout=ANSWER_SECONDS).close()
        except urllib.error.HTTPError as error:
            error.close()
            moved_to = error.headers.get("Location") if 300 <= error.code < 400 else None
            if moved_to:
                raise MovedError(
                    f"webhook must take posts itself, got {error.code} to {urljoin(url, moved_to)}; "
                    "give that address with --webhook"
                ) from error
            raise

    return post


class Notifier:
    """Sends rows from a thread of its own, with retries; rows that could not be sent are sent after the next start."""

    def __init__(
        self, arrivals: Arrivals, receivers: Sequence[Notify], delays: Sequence[float] = RETRY_DELAYS_SECONDS
    ) -> None:
        self.arrivals, self.receivers, self.delays = arrivals, receivers, delays
        self.rows: queue.SimpleQueue[tuple[str, Arrival] | None] = queue.SimpleQueue()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def send(self, name: str, row: Arrival) -> None:
        """Send a row soon, if there is a receiver."""
        if self.receivers:
            self.rows.put((name, row))

    def close(self) -> None:
        """Send what is left, once each, for a few seconds at most."""
        self.ending.set()
        self.rows.put(None)
        self.thread.join(ANSWER_SECONDS)

    def _run(self) -> None:
        while (item := self.rows.get()) is not None:
            name, row = item
            sent = [self._sent(receiver, row) for receiver in self.receivers]  # to each, also if another failed
            if all(sent):
                self.arrivals.mark_notified(name)

    def _sent(self, receiver: Notify, row: Arrival) -> bool:
        for delay in (*self.delays, None):
            try:
                receiver(row)
            except Exception as error:  # errors of a receiver must not stop scoring
                if isinstance(error, MovedError) or delay is None or self.ending.wait(delay):
                    log.warning(
                        "the notice of %s was not received (%s); it is sent after the next start", row["path"], error
                    )
                    return False
            else:
                return True
        return False
