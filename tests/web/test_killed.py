"""The server killed while two people judge many images at once: what was answered is there, once, and nothing half."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Route, expect

from storage.results.verdict_reader import read_verdicts
from storage.results.verdicts import current_verdicts
from storage.store import Store
from tests.web.visiting import OWN, Visitor, free_port, give

ACTIONS = 25
"""Of each person, each about all 20 images: 500 verdicts."""
VERDICTS = 500
"""Of each person, each about one image."""


@contextmanager
def serving(store: Store, port: int) -> Iterator[subprocess.Popen[str]]:
    """`musc web` over a store, once it answers."""
    words = [sys.executable, "-m", "cli", "web", store.url, "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as server:
        assert server.stdout is not None
        assert "http://" in server.stdout.readline()
        yield server


@pytest.mark.slow
def test_killed_server_keeps_whole_what_it_answered_and_doubles_nothing(
    store: Store, lot_name: str, image_ids: list[str]
) -> None:
    answered: list[str] = []
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with serving(store, port) as server:

        def person(name: str) -> None:
            for number in range(ACTIONS):
                token = f"{number:08x}{name.encode().hex():0>8}"
                sent = {"verdict": "good", "name": name, "looked": True, "images": image_ids, "token": token}
                asked = urllib.request.Request(f"{address}/lots/{lot_name}/verdicts", json.dumps(sent).encode(), OWN)
                for _ in range(2):  # as a browser does that was not sure whether the first one arrived
                    try:
                        with urllib.request.urlopen(asked) as answer:
                            answered.append(json.loads(answer.read())["action"])
                    except (OSError, HTTPException):
                        return

        people = [threading.Thread(target=person, args=(name,)) for name in ("Ada", "Ben")]
        for one in people:
            one.start()
        while len(answered) < ACTIONS and any(one.is_alive() for one in people):
            people[0].join(0.005)
        os.kill(server.pid, signal.SIGKILL)
        for one in people:
            one.join()
    kept = read_verdicts(store, f"runs/{lot_name}")
    assert ACTIONS <= len(set(answered)) * 2 < 4 * ACTIONS, "the server was killed in the middle"
    assert max(Counter(answered).values()) == 2, "sent twice, stored once"
    sizes = kept.groupby("action").size()
    assert set(sizes) == {len(image_ids)}, "all of an action or nothing"
    assert set(answered) <= set(sizes.index)
    assert len(sizes) <= len(set(answered)) + 2, "at most what each was waiting for is stored unanswered"
    assert len(current_verdicts(kept)) == len(image_ids)


def test_a_verdict_that_is_sent_again_is_stored_once(client: TestClient, lot_name: str, image_ids: list[str]) -> None:
    token = "0123456789abcdef"
    for _ in range(2):
        assert len(give(client, lot_name, image_ids[0], "good", token=token).json()["all"]) == 1
    assert len(give(client, lot_name, image_ids[0], "good", token=token[::-1]).json()["all"]) == 2
    refused = give(client, lot_name, image_ids[0], "good", token="../x")
    assert (refused.status_code, "token must have 16" in refused.text) == (422, True)


@pytest.mark.parametrize("page", ["one", "many"])
def test_key_that_is_pressed_again_after_no_answer_stores_once(
    visit: Callable[..., Visitor], site: str, store: Store, lot_name: str, image_ids: list[str], page: str
) -> None:
    shown = visit(f"{site}/lots/{lot_name}" + (f"/images/{image_ids[0]}" if page == "one" else "?view=grid")).page
    unanswered = []

    def lost(route: Route) -> None:
        if unanswered:
            route.continue_()
            return
        unanswered.append(route.fetch())  # it is stored, and its answer is lost
        route.abort()

    shown.route("**/verdicts", lost)
    if page == "many":
        shown.keyboard.press("a")
    shown.keyboard.press("g")
    expect(shown.locator("#said")).to_contain_text("Not stored")
    shown.keyboard.press("g")
    expect(shown.locator("#said")).not_to_contain_text("Not stored")
    expect(shown.locator("#said")).to_contain_text("good")
    assert [answer.status for answer in unanswered] == [201]
    actions = read_verdicts(store, f"runs/{lot_name}")["action"]
    assert actions.nunique() == 1


@pytest.mark.slow
def test_single_verdicts_of_two_people_are_none_lost_and_none_doubled_by_a_kill(
    store: Store, lot_name: str, image_ids: list[str]
) -> None:
    """Who got no answer sends the same again, as the page does, to the server that is started again."""
    port, answered = free_port(), dict[str, int]()
    killed, started = threading.Event(), threading.Event()

    def person(name: str) -> None:
        for number in range(VERDICTS):
            token = f"{number:08x}{name.encode().hex():0>8}"
            sent = {"verdict": "good" if number % 2 else "unsure", "name": name, "note": token, "token": token}
            address = f"http://127.0.0.1:{port}/lots/{lot_name}/images/{image_ids[number % len(image_ids)]}/verdicts"
            asked = urllib.request.Request(address, json.dumps(sent).encode(), OWN)
            while True:
                try:
                    with urllib.request.urlopen(asked) as answer:
                        notes = [one["note"] for one in json.loads(answer.read())["all"]]
                    break
                except (OSError, HTTPException):
                    assert killed.wait(60)
                    assert started.wait(60)
            answered[token] = notes.count(token)

    people = [threading.Thread(target=person, args=(name,)) for name in ("Ada", "Ben")]
    with serving(store, port) as server:
        for one in people:
            one.start()
        while len(answered) < VERDICTS and all(one.is_alive() for one in people):
            people[0].join(0.005)
        os.kill(server.pid, signal.SIGKILL)
        server.wait(20)
    before = set(answered)
    killed.set()
    with serving(store, port) as server:
        kept = set(read_verdicts(store, f"runs/{lot_name}")["note"])
        started.set()
        for one in people:
            one.join()
        server.terminate()
    assert before <= kept, "what was answered before the kill is there"
    assert VERDICTS <= len(before) < 2 * VERDICTS, "the server was killed in the middle"
    stored = Counter(read_verdicts(store, f"runs/{lot_name}")["note"])
    assert set(stored) == set(answered)
    assert set(stored.values()) == set(answered.values()) == {1}
    assert stored.total() == 2 * VERDICTS
