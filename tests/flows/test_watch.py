"""Photographs scored as they come: the scores of a lot of one, none lost, none twice, others told."""

import hashlib
import json
import os
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.pipelines.watch import watch_folder
from planning.requests import WatchRequest, request_of
from tasks.runtime.runner import InlineRunner
from tasks.watching.folder_events import RESCAN_SECONDS
from tests.flows.watched import PATIENCE_SECONDS, copied, draw, until, watch
from tests.forking import ForkServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("parts"))


def test_watch_scores_nothing_twice_and_a_changed_file_again(drawn: Path, tmp_path: Path) -> None:
    folder = copied(tmp_path / "in", drawn, "0.png", "1.png")
    first = watch(folder, drawn, tmp_path / "store", 2)
    (folder / "1.png").write_bytes((drawn / "new" / "2.png").read_bytes())
    second = watch(folder, drawn, tmp_path / "store", 1)
    assert sorted(second["path"]) == ["0.png", "1.png", "1.png"]
    assert set(first["time"]) < set(second["time"])
    (parts,) = (tmp_path / "store" / "watch").glob("*/scores")
    assert len(pd.read_parquet(parts)) == 3  # the folder as pandas reads it


def test_watch_waits_for_a_file_that_is_half_written(drawn: Path, tmp_path: Path) -> None:
    folder = copied(tmp_path / "in", drawn)
    content = (drawn / "new" / "1.png").read_bytes()
    (folder / "half.png").write_bytes(content[: len(content) // 2])

    def finish() -> None:
        with (folder / "half.png").open("ab") as file:
            file.write(content[len(content) // 2 :])

    threading.Timer(2.5, finish).start()
    table = watch(folder, drawn, tmp_path / "store", 1, poll=True)
    assert table["status"].tolist() == ["ok"]
    assert table["size"].tolist() == [len(content)]


def test_watch_gives_an_empty_file_a_row_after_the_patience_and_another_once_it_is_filled(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.watching.new_photographs.PATIENCE_SECONDS", 2.0)
    folder = copied(tmp_path / "in", drawn)
    (folder / "0.png").write_bytes(b"")
    table = watch(folder, drawn, tmp_path / "store", 1)
    assert table[["path", "status", "reason"]].to_numpy().tolist() == [["0.png", "unreadable", "the file is empty"]]
    copied(folder, drawn, "0.png")
    assert watch(folder, drawn, tmp_path / "store", 1)["status"].tolist() == ["unreadable", "ok"]


@pytest.mark.parametrize("poll", [False, True], ids=["told", "polled"])
def test_watch_scores_a_file_replaced_by_one_of_the_same_size_and_time(drawn: Path, tmp_path: Path, poll: bool) -> None:
    contents = [(drawn / "new" / name).read_bytes() for name in ("0.png", "1.png")]
    size = max(map(len, contents))
    folder, time_ns = copied(tmp_path / "in", drawn), 1_795_000_000_000_000_000

    def put(content: bytes) -> None:
        aside = tmp_path / "aside.png"
        aside.write_bytes(content.ljust(size, b"x"))  # bytes after the end of a PNG change nothing
        os.utime(aside, ns=(time_ns, time_ns))
        aside.replace(folder / "0.png")

    put(contents[0])
    threading.Timer(
        0.0, lambda: (until(lambda: any(tmp_path.glob("store/watch/*/scores/*"))), put(contents[1]))
    ).start()
    assert watch(folder, drawn, tmp_path / "store", 2, poll=poll)["size"].tolist() == [size, size]


def test_watch_waits_for_a_file_whose_place_is_made_before_it_is_filled(drawn: Path, tmp_path: Path) -> None:
    from PIL import Image

    Image.open(drawn / "new" / "0.png").save(tmp_path / "0.bmp")
    content, folder = (tmp_path / "0.bmp").read_bytes(), copied(tmp_path / "in", drawn)
    ready = threading.Event()

    def write() -> None:
        ready.wait()
        with (folder / "0.bmp").open("wb") as file:
            file.write(content[:100])
            file.truncate(len(content))  # decodes as black from here on
            file.flush()
            time.sleep(2)
            file.seek(100)
            file.write(content[100:])

    threading.Timer(0.0, write).start()
    table = watch(folder, drawn, tmp_path / "store", 1, started=ready)
    assert table["sha256"].tolist() == [hashlib.sha256(content).hexdigest()]


def test_watch_goes_on_when_its_folder_was_gone(drawn: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = copied(tmp_path / "in", drawn, "0.png")

    def away_and_back() -> None:
        until(lambda: any(tmp_path.glob("store/watch/*/scores/*")))
        folder.rename(tmp_path / "away")
        until(lambda: "is gone" in caplog.text)
        copied(tmp_path / "away", drawn, "1.png").rename(folder)

    threading.Timer(0.0, away_and_back).start()
    assert sorted(watch(folder, drawn, tmp_path / "store", 2)["path"]) == ["0.png", "1.png"]
    assert caplog.text.count("is gone") == caplog.text.count("is back;") == 1


def test_watch_scores_files_of_a_folder_that_is_moved_in(drawn: Path, tmp_path: Path) -> None:
    folder, ready = copied(tmp_path / "in", drawn), threading.Event()
    copied(tmp_path / "camera", drawn, "0.png", "1.png")
    threading.Timer(0.0, lambda: (ready.wait(), (tmp_path / "camera").rename(folder / "camera"))).start()
    started = time.monotonic()
    table = watch(folder, drawn, tmp_path / "store", 2, started=ready)
    assert sorted(table["path"]) == ["camera/0.png", "camera/1.png"]
    assert time.monotonic() - started < RESCAN_SECONDS


def test_watch_keeps_one_row_of_a_file_whose_name_is_no_utf8(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.watching.new_photographs.PATIENCE_SECONDS", 1.0)
    folder = copied(tmp_path / "in", drawn, "0.png")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png")).write_bytes(b"x")
    assert watch(folder, drawn, tmp_path / "store", 2)["path"].tolist() == ["0.png", "\\udcff.png"]
    copied(folder, drawn, "1.png")
    assert len(watch(folder, drawn, tmp_path / "store", 1)) == 3


class Receiver(HTTPServer):
    """Refuses the first post, and keeps the others."""

    def __init__(self) -> None:
        self.asked, self.got = 0, []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        if self.server.asked > 1:
            self.server.got.append(json.loads(content))
        self.send_response(503 if self.server.asked == 1 else 200)
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        pass


def test_watch_posts_flagged_photographs_again_after_an_error(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    receiver = Receiver()
    url = f"http://127.0.0.1:{receiver.server_port}/flagged"
    folder = copied(tmp_path / "in", drawn, "0.png", "1.png")
    watch(folder, drawn, tmp_path / "store", 2, webhook=url, threshold=0.075)
    copied(folder, drawn, "2.png")
    table = watch(folder, drawn, tmp_path / "store", 1, webhook=url, threshold=0.075)  # and what was not told
    until(lambda: len(receiver.got) == 2)
    assert {row["path"] for row in receiver.got} == {"1.png", "2.png"}
    assert table.set_index("path").loc["0.png", "decision"] == "suspect", "which is kept and not posted"
    assert all(row["decision"] == "flagged" and row["raw_score"] >= row["threshold"] for row in receiver.got)
    receiver.shutdown()
    receiver.server_close()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"watch must have references, got none; give a folder of good photographs with good \(--good\)"),
        ({"good": "g", "roi": "."}, "roi must be one mask file for watch, got the folder ."),
        ({"good": "g", "webhook": "ftp://host/x"}, "webhook must be a URL that begins with http"),
    ],
)
def test_watch_refuses_what_cannot_work(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    request = request_of(WatchRequest, {"folder": str(tmp_path), "output": str(tmp_path / "s"), **given})
    with pytest.raises(ValueError, match=message):
        watch_folder(request, InlineRunner(), threading.Event(), print)


def test_watch_killed_and_started_again_loses_none_and_doubles_none(
    drawn: Path, forks: ForkServer, tmp_path: Path
) -> None:
    folder, store = copied(tmp_path / "in", drawn), tmp_path / "store"
    content = (drawn / "new" / "0.png").read_bytes()
    words = ["watch", str(folder), "--good", str(drawn / "good"), "--output", str(store), "--no-events"]
    words += ["--backbone", "texture", "--image-size", "64", "--layers", "0", "--degrees", "1"]
    command = ["-m", "cli", *words]

    def rows() -> int:
        return len(list(store.glob("watch/*/scores/*.parquet")))

    for number in range(12):
        (folder / f"{number}.png").write_bytes(content + bytes(number))  # bytes after the end make it another content
    with forks.start(command, cwd=ROOT, stdout=subprocess.DEVNULL) as first:
        try:
            until(lambda: rows() >= 3)
        finally:
            first.kill()
    for number in range(12, 24):
        (folder / f"{number}.png").write_bytes(content + bytes(number))
    with forks.start(command, cwd=ROOT, stdout=subprocess.PIPE) as second:
        try:
            until(lambda: rows() >= 24)
        finally:
            second.send_signal(signal.SIGTERM)
        told, _ = second.communicate(timeout=PATIENCE_SECONDS)
    assert second.returncode == 0
    assert "stopped; every row is kept" in told
    (parts,) = store.glob("watch/*/scores")
    assert sorted(pd.read_parquet(parts)["path"]) == sorted(f"{number}.png" for number in range(24))
