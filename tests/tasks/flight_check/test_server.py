"""Server and database, played by a small server that answers as broken ones do."""

import json
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from threading import Thread

import pytest

from planning.nights.check_lines import CheckLine, Level
from tasks.flight_check.looking import look
from tasks.flight_check.server import Api, check_database, check_server, seconds_ahead


class Played(ThreadingHTTPServer):
    """What it answers."""

    release = version("prefect")
    statuses: dict[str, int]
    date: float | None = None
    password = ""


@pytest.fixture
def server() -> Iterator[Played]:
    class Handler(BaseHTTPRequestHandler):
        server: Played

        def answer(self) -> None:
            path = self.path.removeprefix("/api/")
            asked = self.headers.get("Authorization", "")
            status = self.server.statuses.get(path, 200) if asked.endswith(self.server.password) else 401
            self.send_response_only(status)
            self.send_header("Date", formatdate(self.server.date))
            self.end_headers()
            self.wfile.write(json.dumps(self.server.release).encode())

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def log_message(self, *_: object) -> None:
            """Nothing on the console."""

    with Played(("127.0.0.1", 0), Handler) as playing:
        playing.statuses = {}
        Thread(target=playing.serve_forever, args=(0.01,), daemon=True).start()
        yield playing
        playing.shutdown()


def api_of(server: Played, password: str = "") -> Api:
    return Api(f"http://127.0.0.1:{server.server_port}/api", password)


def levels(*lines: CheckLine) -> list[Level]:
    return [line.level for line in lines]


def test_server_of_the_same_release_passes_and_of_another_does_not(server: Played) -> None:
    assert levels(check_server(api_of(server)), check_database(api_of(server))) == [Level.OK, Level.OK]
    major, minor, _ = version("prefect").split(".", 2)
    server.release = f"{major}.{minor}.999"
    assert check_server(api_of(server)).level == Level.WARNING
    server.release = f"{major}.999.0"
    line = check_server(api_of(server))
    assert line.level == Level.FAILS
    assert f"Prefect {major}.999.0, here {version('prefect')}" in line.value


def test_server_that_asks_for_a_password_gets_it(server: Played) -> None:
    server.password = "bWU6aXQ="  # me:it
    assert "asks for a password" in check_server(api_of(server)).value
    assert check_server(api_of(server, "me:it")).level == Level.OK


def test_database_fails_where_it_is_gone_or_of_another_release(server: Played) -> None:
    server.statuses = {"deployments/filter": 500}
    line = check_database(api_of(server))
    assert line.level == Level.FAILS
    assert "cannot read deployments" in line.value
    server.statuses = {"ready": 503}
    assert "cannot reach it" in check_database(api_of(server)).value


def test_no_server_is_said_and_one_that_is_down_fails() -> None:
    assert check_server(None).level == Level.OK
    assert "no API is configured" in check_database(None).value
    gone = Api("http://127.0.0.1:9/api")
    assert levels(look("server", lambda: check_server(gone)), look("x", lambda: check_database(gone))) == ["fails"] * 2
    assert seconds_ahead(gone) is None


def test_clock_of_the_server_is_told_by_its_answers(server: Played) -> None:
    server.date = 0.0
    ahead = seconds_ahead(api_of(server))
    assert ahead is not None
    assert ahead < -(10**9)
    assert seconds_ahead(None) is None
