"""Verdicts are read once by a process, and what one click costs does not grow with how many there are."""

import json
import os
from pathlib import Path

import pytest

from storage.results.verdict_reader import VerdictReader, reader_of
from storage.results.verdicts import Verdict, add_verdict, current_verdicts
from storage.store import Store

RUNS, IN_EACH = 50, 100
SHARED = {"category": "bolt", "name": "Ada", "decision": "accepted", "raw_score": 0.5}


def verdict(run: str, image: str, said: str = "good", **changes: str) -> Verdict:
    return Verdict(
        **{"run": run, "image_id": image, "path": image, "sha256": image, "verdict": said, **SHARED, **changes}
    )


class Counted:
    """Files read and folders listed, since the last look."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.reads: list[str] = []
        self.listed: list[str] = []
        read, scandir = Store.read, os.scandir
        patch.setattr(Store, "read", lambda store, path: (self.reads.append(path), read(store, path))[1])
        patch.setattr(os, "scandir", lambda path: (self.listed.append(Path(path).name), scandir(path))[1])

    def since(self) -> tuple[int, list[str]]:
        found = len(self.reads), list(self.listed)
        self.reads.clear()
        self.listed.clear()
        return found


def test_second_lot_reads_new_verdicts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(str(tmp_path))
    for number in range(5):
        add_verdict(store, verdict("runs/monday", f"{number}"))
    assert len(reader_of(store).everything()["runs/monday"]) == 5
    add_verdict(store, verdict("runs/monday", "5"))
    counted = Counted(monkeypatch)
    assert len(reader_of(Store(str(tmp_path))).everything()["runs/monday"]) == 6
    assert counted.since()[0] == 1


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with 5,000 verdicts of long ago, each a file of its own."""
    store = Store(str(tmp_path_factory.mktemp("many")))
    add_verdict(store, verdict("runs/0", "0", time="2026-11-01T00:00:00.000000+00:00"))
    (template,) = (Path(store.url) / "verdicts" / "0").iterdir()
    said = json.loads(template.read_bytes())
    for run in range(RUNS):
        folder = Path(store.url) / "verdicts" / f"{run}"
        folder.mkdir(exist_ok=True)
        for image in range(1 if run == 0 else 0, IN_EACH):
            about = {"run": f"runs/{run}", "image_id": f"{image}", "sha256": f"{image}"}
            (folder / f"20261101T000000{image:06d}-0a1b2c3d.json").write_text(json.dumps({**said, **about}))
        os.utime(folder, (1_700_000_000, 1_700_000_000))
    return store


def test_a_click_lists_its_own_lot_and_reads_its_own_file_among_5000_verdicts_of_two_servers(
    many: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = VerdictReader(many), VerdictReader(many)
    assert sum(map(len, here.everything().values())) == sum(map(len, there.everything().values())) == RUNS * IN_EACH
    counted = Counted(monkeypatch)
    for number in range(3):
        here.add(verdict("runs/7", f"{number}", "defective"))
        here.about("runs/7")
        reads, listed = counted.since()
        assert (reads, set(listed)) == (1, {"verdicts", "7"})
        assert len(listed) <= 3
    there.add(verdict("runs/8", "0", "unsure"))
    reads, listed = counted.since()
    assert (reads, sorted(listed)) == (3, ["7", "verdicts"]), "what the other server wrote, once"
    assert current_verdicts(there.about("runs/7")).query("image_id == '1'")["verdict"].tolist() == ["defective"]


def test_last_verdict_counts_though_another_server_wrote_one_from_the_future(many: Store) -> None:
    here, there, ahead = VerdictReader(many), VerdictReader(many), "2999-01-01T00:00:00.000000+00:00"
    here.everything()
    there.add(verdict("runs/3", "50", "defective", time=ahead))
    here.add(verdict("runs/4", "50", "good"))
    assert here.about("runs/4")["time"].max() == "2999-01-01T00:00:00.000001+00:00"


def test_table_that_grew_is_the_one_that_is_read_at_once(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    growing = VerdictReader(store)
    for image, said in (("a", "good"), ("b", "defective"), ("a", "unsure")):
        action = growing.add(verdict("runs/monday", image, said))
        assert growing.about("runs/monday").equals(VerdictReader(store).about("runs/monday"))
    growing.undo("runs/monday", action, "Eve")
    growing.add(verdict("runs/monday", "c"))
    assert growing.about("runs/monday").equals(VerdictReader(store).about("runs/monday"))
    add_verdict(store, verdict("runs/monday", "d", time="2026-01-01T00:00:00.000000+00:00"))
    found = growing.about("runs/monday")
    assert found.equals(VerdictReader(store).about("runs/monday"))
    assert found["image_id"].iloc[0] == "d", "it came late and is the earliest"
