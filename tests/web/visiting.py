"""What tests of the site share: names no page may run, a verdict as the page sends it, a visitor with a browser."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any

from fastapi.testclient import TestClient
from playwright.sync_api import Page

MARKUP = "<img src=x onerror=alert(1)>.png"
QUOTES = "=1+1 \"quote' & ünïcode 部品 {{ 7*7 }} %2e%2e.png"
OWN = {"X-Requested-With": "musc"}


def give(client: TestClient, lot_name: str, image_id: str, verdict: str, **more: Any) -> Any:
    """Send a verdict as the page does."""
    sent = {"verdict": verdict, "name": "Ada", "note": "", "regions": [], **more}
    return client.post(f"/lots/{lot_name}/images/{image_id}/verdicts", content=json.dumps(sent), headers=OWN)


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Visitor:
    """A page of a browser, and whatever went wrong in it."""

    page: Page
    problems: list[str] = field(default_factory=list)
