"""Verdicts are only ever added, and read back as they were given."""

import json
import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from storage.images.drawn_shapes import DrawnShape, regions_of
from storage.results import verdicts
from storage.results.verdict_reader import VerdictReader, read_verdicts
from storage.results.verdicts import COLUMNS, Verdict, add_verdict, add_verdicts, current_verdicts, looked_at
from storage.store import PARTIAL, Store

RUN = "runs/monday-0a1b2c3d"


def verdict(image_id: str = "a", said: str = "good", **changes: Any) -> Verdict:
    given = {"run": RUN, "image_id": image_id, "path": f"{image_id}.png", "sha256": f"sha-{image_id}"}
    fixed = {"category": "cap", "raw_score": 0.5, "decision": "flagged", "verdict": said, "name": "Ada"}
    return Verdict(**{**given, **fixed, **changes})


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return Store(str(tmp_path))
    return Store(f"{request.getfixturevalue('s3_bucket')}/{tmp_path.name}")


def test_verdicts_come_back_in_the_order_of_their_time(store: Store) -> None:
    region = DrawnShape("box", ((1.0, 2.0), (5.0, 2.0), (5.0, 4.0), (1.0, 4.0)))
    given = [verdict("a"), verdict("b", "defective", note="Kratzer 部品", regions=(region,)), verdict("a", "unsure")]
    for one in given:
        add_verdict(store, one)
    found = read_verdicts(store, RUN)
    assert list(found.columns) == list(COLUMNS)
    assert found["image_id"].tolist() == ["a", "b", "a"]
    assert found["note"].tolist() == ["", "Kratzer 部品", ""]
    assert regions_of(found["regions"][1]) == (region,)


def test_latest_verdict_counts_unless_it_takes_back(store: Store) -> None:
    for image_id, said in (("a", "good"), ("b", "defective"), ("a", "defective"), ("b", "withdrawn"), ("c", "unsure")):
        add_verdict(store, verdict(image_id, said))
    current = current_verdicts(read_verdicts(store, RUN))
    assert current[["image_id", "verdict"]].to_numpy().tolist() == [["a", "defective"], ["c", "unsure"]]


def test_last_verdict_counts_though_the_clock_was_set_back(store: Store) -> None:
    reader, ahead = VerdictReader(store), "2999-01-01T00:00:00.000000+00:00"
    add_verdict(store, verdict(said="defective", time=ahead))
    reader.add(verdict(said="good"))
    assert current_verdicts(reader.about(RUN))["verdict"].tolist() == ["good"]


def test_last_verdict_counts_though_an_earlier_run_has_one_from_the_future(store: Store) -> None:
    reader, ahead = VerdictReader(store), "2999-01-01T00:00:00.000000+00:00"
    add_verdict(store, verdict(said="good", time=ahead))
    reader.add(verdict("of another run", "defective", run="runs/tuesday-1", sha256="sha-a"))
    reader.add(verdict("b"))
    times = {run: table["time"].tolist() for run, table in reader.everything().items()}
    assert times["runs/tuesday-1"] == ["2999-01-01T00:00:00.000001+00:00"]
    assert times[RUN][0] < ahead, "a photograph nobody judged in the future keeps the time by the clock"


def test_many_verdicts_are_one_file_and_one_action(store: Store) -> None:
    reader = VerdictReader(store)
    action = reader.add(*(verdict(image, at_once=3, looked=False) for image in "abc"))
    assert list(store.sizes("verdicts")) == [f"monday-0a1b2c3d/{action}.jsonl"]
    found = reader.about(RUN)
    assert found[["image_id", "action", "at_once", "looked"]].to_numpy().tolist() == [
        [image, action, 3, False] for image in "abc"
    ]
    assert found["verdict_id"].is_unique
    assert looked_at(current_verdicts(found)).empty


def test_undone_verdicts_count_as_never_given_and_those_before_count_again(store: Store) -> None:
    reader = VerdictReader(store)
    reader.add(verdict("a", "defective", name="Ben"))
    many = reader.add(*(verdict(image) for image in "abc"))
    reader.add(verdict("c", "unsure", name="Ben"))

    def current() -> list[list[str]]:
        return current_verdicts(reader.about(RUN)).sort_values("image_id")[["image_id", "verdict"]].to_numpy().tolist()

    before = current()
    undo = reader.undo(RUN, many, "Eve")
    assert current() == [["a", "defective"], ["c", "unsure"]]
    assert reader.about(RUN).query("action == @many")["undone_by"].tolist() == ["Eve"] * 3
    reader.undo(RUN, undo, "Ada")
    assert current() == before
    assert read_verdicts(store, RUN).equals(reader.about(RUN))


def test_action_is_undone_once_though_its_time_lies_in_the_future(store: Store) -> None:
    reader = VerdictReader(store)
    action = reader.add(verdict(time="2999-01-01T00:00:00.000000+00:00"))
    reader.undo(RUN, action, "Ada")
    assert current_verdicts(reader.about(RUN)).empty
    with pytest.raises(ValueError, match="must not be undone yet, but Ada undid it"):
        reader.undo(RUN, action, "Ben")
    with pytest.raises(ValueError, match="must be one about runs/monday-0a1b2c3d, got '"):
        reader.undo(RUN, "../x", "Ben")


def test_action_sent_twice_is_stored_once(store: Store) -> None:
    reader = VerdictReader(store)
    first = reader.add(verdict("a"), verdict("b"), token="0123456789abcdef")
    assert reader.add(verdict("a"), verdict("b"), token="0123456789abcdef") == first
    assert VerdictReader(store).add(verdict("a"), token="0123456789abcdef") == first
    assert len(reader.about(RUN)) == 2


def test_no_verdicts_are_an_empty_table(store: Store) -> None:
    found = read_verdicts(store, RUN)
    assert (len(found), list(found.columns)) == (0, list(COLUMNS))
    assert current_verdicts(found).empty
    assert VerdictReader(store).everything() == {}


def test_verdicts_of_all_runs_are_found_by_run(store: Store) -> None:
    add_verdict(store, verdict())
    add_verdict(store, verdict(run="runs/tuesday-1"))
    assert {run: len(table) for run, table in VerdictReader(store).everything().items()} == {
        RUN: 1,
        "runs/tuesday-1": 1,
    }


def test_many_people_at_once_lose_nothing(tmp_path: Path) -> None:
    store = Store(str(tmp_path))

    def person(name: str) -> None:
        for number in range(25):
            add_verdict(store, verdict(str(number), name=name, time="2026-11-21T04:05:06.000007+00:00"))

    people = [threading.Thread(target=person, args=(name,)) for name in "abcd"]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert read_verdicts(store, RUN).groupby("name").size().to_dict() == dict.fromkeys("abcd", 25)


def test_files_are_a_table_for_pandas_alone(tmp_path: Path) -> None:
    add_verdict(Store(str(tmp_path)), verdict("a"))
    add_verdicts(Store(str(tmp_path)), [verdict("b"), verdict("c")])
    paths = sorted((tmp_path / "verdicts" / "monday-0a1b2c3d").glob("*.json*"))
    table = pd.concat(pd.read_json(path, lines=True) for path in paths)
    assert table[["image_id", "verdict", "name", "raw_score"]].to_numpy().tolist() == [
        ["a", "good", "Ada", 0.5],
        ["b", "good", "Ada", 0.5],
        ["c", "good", "Ada", 0.5],
    ]


def test_one_verdict_is_a_file_of_plain_json(tmp_path: Path) -> None:
    path = add_verdict(Store(str(tmp_path)), verdict("a"))
    assert json.loads((tmp_path / path).read_text("utf-8"))["image_id"] == "a"
    assert Path(path).suffix == ".json"


def test_verdict_from_before_there_were_kinds_has_none(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    path = add_verdict(store, verdict(said="defective"))
    known = json.loads(store.read(path))
    store.write(path, json.dumps({name: known[name] for name in known if name not in ("kind", "severity")}).encode())
    assert read_verdicts(store, RUN)[["kind", "severity"]].to_numpy().tolist() == [["", ""]]


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, read = Store(str(tmp_path)), []
    add_verdict(store, verdict())
    reader = VerdictReader(store)
    original = Store.read
    monkeypatch.setattr(Store, "read", lambda self, path: (read.append(path), original(self, path))[1])
    for _ in range(3):
        assert len(reader.about(RUN)) == 1
        assert len(reader.everything()[RUN]) == 1
    assert len(read) == 1
    add_verdict(store, verdict())
    assert len(reader.about(RUN)) == 2
    assert len(read) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b'{"format_version": 99}', b"\xff"])
def test_damaged_files_cost_no_other_verdict(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(str(tmp_path))
    add_verdict(store, verdict())
    store.write("verdicts/monday-0a1b2c3d/00000000T000000000000-ffffffff.json", content)
    store.write(f"verdicts/monday-0a1b2c3d/x.json{PARTIAL}abc", b"{")
    assert read_verdicts(store, RUN)["image_id"].tolist() == ["a"]
    assert "is no verdict of this release" in caplog.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"verdict": "bad"}, "verdict must be one of defective, good, unsure, withdrawn, got 'bad'"),
        ({"name": " "}, "name must have 1 to 80 characters"),
        ({"said": "good", "kind": "dent"}, "kind and severity must go with the verdict defective, got good"),
        (
            {"said": "defective", "severity": "huge"},
            "severity must be one of minor, major, critical, or empty, got 'huge'",
        ),
        ({"note": "x" * (verdicts.MAX_NOTE + 1)}, "note must have at most 2000 characters, got 2001"),
    ],
)
def test_values_out_of_range_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        verdict(**changes)


@pytest.mark.parametrize(
    ("shape", "points"),
    [("star", ((0, 0),) * 4), ("box", ((0, 0),) * 3), ("outline", ((0, 0),) * 2), ("box", ((0, float("inf")),) * 4),
     ("outline", ((-1, 0), (2, 2), (3, 1)))],
)  # fmt: skip
def test_regions_that_are_no_polygon_are_refused(shape: str, points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match=r"must (be|have|lie)"):
        DrawnShape(shape, points)
