"""Verdicts are read once by a process, for however many lots."""

from pathlib import Path

import pytest

from storage.results.verdict_reader import reader_of
from storage.results.verdicts import Verdict, add_verdict
from storage.store import Store


def test_second_lot_reads_new_verdicts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(str(tmp_path))
    shared = {"sha256": "0", "category": "bolt", "name": "Ada", "decision": "accepted", "verdict": "good"}
    for number in range(5):
        add_verdict(store, Verdict("runs/monday", f"{number}", f"{number}.png", raw_score=0.5, **shared))
    assert len(reader_of(store).everything()["runs/monday"]) == 5
    add_verdict(store, Verdict("runs/monday", "5", "5.png", raw_score=0.5, **shared))
    reads = []
    read = Store.read
    monkeypatch.setattr(Store, "read", lambda store, path: (reads.append(path), read(store, path))[1])
    assert len(reader_of(Store(str(tmp_path))).everything()["runs/monday"]) == 6
    assert len(reads) == 1
