"""What takes seconds is said at once, again after 2 seconds, and no more once a stage goes on."""

import time

from cli.terminal import waiting as module
from cli.terminal.waiting import Waiting, waiting
from tasks.runtime.progress import StageProgress


def test_what_is_done_is_said_again_every_two_seconds_then_less_often() -> None:
    said: list[str] = []
    now = Waiting(said.append)
    now.doing("loading torch …")
    for seconds in range(1, 41):
        now.say_again(now.began + seconds)
    assert said == [
        "loading torch …",
        *(f"loading torch … {seconds} s" for seconds in (2, 4, 6, 8, 10, 20, 30, 40)),
    ]


def test_stage_that_goes_on_ends_the_waiting() -> None:
    said: list[str] = []
    heard: list[StageProgress] = []
    now = Waiting(said.append)
    now.doing("loading torch …")
    now.until_progress(heard.append)(StageProgress("extract", 8, "images"))
    now.say_again(now.began + 60)
    assert (said, len(heard)) == (["loading torch …"], 1)


def test_waiting_is_said_from_beside(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(module, "OFTEN_SECONDS", 0.05)
    said: list[str] = []
    with waiting(said.append) as now:
        now.doing("loading torch …")
        time.sleep(0.5)
    assert len(said) > 1


def test_of_several_lots_only_what_takes_long_is_said() -> None:
    said: list[str] = []
    now = Waiting(said.append, several_lots=True)
    now.doing("listing cap …")
    now.doing("loading torch …")
    for seconds in range(1, 25):
        now.say_again(now.began + seconds)
    assert said == [f"loading torch … {seconds} s" for seconds in (2, 12, 22)]


def test_what_begins_a_command_is_said_only_if_it_takes_long() -> None:
    said: list[str] = []
    now = Waiting(said.append)
    now.doing("loading libraries …", at_once=False)
    assert said == []
    now.say_again(now.began + 2)
    assert said == ["loading libraries … 2 s"]
