"""Notifications of flagged photographs: a webhook that redirects, refuses or lies elsewhere."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from storage.results.arrivals import Arrivals
from storage.store import Store
from tasks.watching.notify import MovedError, Notifier, webhook
from tests.tasks.watching.rows import scored_row


class Receiver(HTTPServer):
    """Answers `/moved/<code>` with a redirect of that code to `/new`, and everything else with 200."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, object]] = []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:  # a GET is refused, and so seen
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.got.append((self.command, self.path, json.loads(content)))
        moved = self.path.startswith("/moved/")
        self.send_response(int(self.path.rsplit("/")[-1]) if moved else 200)
        if moved:
            self.send_header("Location", "/new")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Receiver()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_webhook_takes_a_redirect_for_not_received_and_names_the_new_address(receiver: Receiver, code: int) -> None:
    with pytest.raises(MovedError, match=rf"got {code} to {receiver.url('/new')}; give that address with --webhook"):
        webhook(receiver.url(f"/moved/{code}"))(scored_row())
    assert [path for _, path, _ in receiver.got] == [f"/moved/{code}"]


def test_webhook_posts_the_row_as_json(receiver: Receiver) -> None:
    webhook(receiver.url("/new?token=1"))(scored_row())
    assert receiver.got == [("POST", "/new?token=1", scored_row())]


def test_notifier_keeps_a_redirected_row_for_the_next_start(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    arrivals = Arrivals(Store(str(tmp_path)), "watch/cap")
    with caplog.at_level(logging.WARNING):
        notifier = Notifier(arrivals, [webhook(receiver.url("/moved/301"))])
        notifier.send("a", scored_row())
        notifier.close()
    assert arrivals.notified() == set()
    assert len(receiver.got) == 1  # asking again cannot help
    assert f"301 to {receiver.url('/new')}" in caplog.text


def test_notifier_remembers_a_received_row(receiver: Receiver, tmp_path: Path) -> None:
    arrivals = Arrivals(Store(str(tmp_path)), "watch/cap")
    notifier = Notifier(arrivals, [webhook(receiver.url("/new"))])
    notifier.send("a", scored_row())
    notifier.close()
    assert arrivals.notified() == {"a"}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://host/x", "webhook must be a URL that begins with http:// or https://"),
        ("http:///x", "webhook must be a URL that begins with http:// or https://"),
        ("https://me:secret@host/x", "webhook must go without a user's name and password, got some for host"),
    ],
)
def test_webhook_refuses_what_is_no_plain_http_url(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        webhook(url)
    assert "secret" not in str(caught.value)
