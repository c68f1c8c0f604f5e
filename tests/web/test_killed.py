"""The server killed while two people judge many images at once: what was answered is there, once, and nothing half."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from http.client import HTTPException
from pathlib import Path

import pytest

from storage.results.verdicts import current_verdicts, read_verdicts
from storage.store import Store
from tests.web.visiting import OWN, free_port

ACTIONS = 25
"""Of each person, each about all 20 images: 500 verdicts."""


@pytest.mark.slow
def test_killed_server_keeps_whole_what_it_answered_and_doubles_nothing(
    store: Store, lot_name: str, image_ids: list[str]
) -> None:
    answered: list[str] = []
    words = [sys.executable, "-m", "cli", "web", store.url, "--port", str(free_port())]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as server:
        assert server.stdout is not None
        address = next(word for word in server.stdout.readline().split() if word.startswith("http://")).rstrip("/")

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
