"""A place that takes messages, as a chat would, and a notification block of a Prefect server that leads there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest


@dataclass
class Chat:
    """Where it listens, and what was sent: subject and text of each message."""

    address: str = ""
    messages: list[str] = field(default_factory=list)

    def about(self, words: str) -> str | None:
        """The first message that holds some words."""
        return next((message for message in self.messages if words in message), None)

    def save_as_block(self, api: str, name: str) -> None:
        """Make the block `custom-webhook/<name>` of a server."""
        from prefect.blocks.notifications import CustomWebhookNotificationBlock
        from prefect.settings import PREFECT_API_URL, temporary_settings

        template = {"subject": "{{subject}}", "body": "{{body}}"}
        with temporary_settings({PREFECT_API_URL: api}):
            CustomWebhookNotificationBlock(name="chat", url=self.address, json_data=template).save(name)


@pytest.fixture
def chat() -> Iterator[Chat]:
    """A chat on loopback."""
    opened = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            opened.messages.append("\n".join(sent.values()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the console."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as place:
        Thread(target=place.serve_forever, daemon=True).start()
        opened.address = f"http://127.0.0.1:{place.server_port}/"
        yield opened
        place.shutdown()
