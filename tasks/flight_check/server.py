"""Checks of Prefect's server and its database, asked by plain HTTP so that commands without one never load Prefect."""

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from urllib.parse import urlsplit

from planning.nights.check_lines import CheckLine, fails, ok, warning

PATIENCE_SECONDS = 30.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TABLES = ("flow_runs", "deployments", "work_pools", "automations", "variables", "artifacts")
"""Read from the database, since one of another release lacks columns of some."""
NO_SERVER = "no API is configured, so this machine records no runs"


@dataclass(frozen=True)
class Api:
    """Where a server is, and what it asks for."""

    url: str
    password: str = ""
    """`user:password` of `PREFECT_API_AUTH_STRING`."""
    key: str = ""
    """Of `PREFECT_API_KEY`."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What proves who asks."""
        if self.password:
            return {"Authorization": f"Basic {base64.b64encode(self.password.encode()).decode()}"}
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    text: str
    date: str
    """Of the header `Date`; empty without."""


def ask(api: Api, path: str, body: object = None) -> Answer:
    """Ask a server; an error that it tells is an answer too.

    Raises:
        OSError: if it does not answer.
    """
    is_here = urlsplit(api.url).hostname in LOOPBACK
    handler = urllib.request.ProxyHandler({} if is_here else None)
    content = None if body is None else json.dumps(body).encode()
    headers = {**api.headers, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{api.url.rstrip('/')}/{path}", data=content, headers=headers)
    try:
        with urllib.request.build_opener(handler).open(request, timeout=PATIENCE_SECONDS) as answer:
            return Answer(answer.status, answer.read().decode(errors="replace"), answer.headers.get("Date", ""))
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read().decode(errors="replace"), error.headers.get("Date", ""))


def seconds_ahead(api: Api | None) -> float | None:
    """By how much a server's clock is ahead of this machine's; None where it cannot be told."""
    if api is None:
        return None
    try:
        date = ask(api, "health").date
        return parsedate_to_datetime(date).timestamp() - time.time() if date else None
    except (OSError, ValueError):
        return None


def check_server(api: Api | None) -> CheckLine:
    """Whether the server answers and has the release of Prefect that is installed here."""
    if api is None:
        return ok("server", NO_SERVER)
    own, answer = version("prefect"), ask(api, "admin/version")
    if answer.status in (401, 403):
        return fails("server", f"{api.url} asks for a password", "set PREFECT_API_AUTH_STRING here as on the server")
    if answer.status != 200:
        return fails("server", f"{api.url} answers {answer.status}: {answer.text[:200]}", "see the server's log")
    found = answer.text.strip().strip('"')
    text = f"{api.url}: Prefect {found}, here {own}"
    if found == own:
        return ok("server", text)
    advice = "install the same release on both, server first, and restart both"
    same = found.split(".")[:2] == own.split(".")[:2]
    return warning("server", text, advice) if same else fails("server", text, advice)


def check_database(api: Api | None) -> CheckLine:
    """Whether the server reaches its database and can read its tables: not if another release has made them."""
    if api is None:
        return ok("database", NO_SERVER)
    ready = ask(api, "ready")
    if ready.status != 200:
        return fails("database", f"the server cannot reach it ({ready.text[:200]})", "see whether it runs")
    unread = [table for table in TABLES if ask(api, f"{table}/filter", {"limit": 1}).status >= 400]
    if unread:
        advice = "stop the server, back its database up, run `prefect server database upgrade -y`, and start it again"
        return fails("database", f"the server cannot read {', '.join(unread)}", advice)
    return ok("database", f"reached; {len(TABLES)} of its tables are as this release of the server expects")
