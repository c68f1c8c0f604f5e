"""A run's record: read back as it was written, counted in one place, and refused in a sentence where it is none."""

import json

import pytest

from planning.stage_versions import RECORD_VERSION
from reports.run_record import RunRecord, night_of, parse_record
from storage.errors import DamagedError, FormatVersionError
from tests.flat import job_of, record_of

COUNTS = {"ok": 20, "duplicate": 2, "unreadable": 1}


def record(**changes: object) -> RunRecord:
    return record_of(job_of(), images=COUNTS, **changes)


def parsed(values: object) -> RunRecord:
    return parse_record(json.dumps(values).encode(), "runs/monday")


def test_record_is_read_as_it_was_written() -> None:
    assert parsed(record().model_dump(mode="json")) == record()


def test_record_counts_its_files() -> None:
    found = record()
    assert (found.image_count, found.file_count, found.left_out_count) == (20, 23, 3)
    assert found.left_out == "2 duplicate, 1 unreadable"
    assert record_of(job_of(), images={"ok": 5}).left_out == ""


def test_night_is_the_lots_date_or_the_local_day_of_the_record() -> None:
    early = {"recorded": "2026-11-20T22:15:00+00:00", "recorded_day": "2026-11-21"}
    assert night_of(record(**early)) == "2026-11-21"
    assert night_of(record_of(job_of(folder="lots/cap/20261119_0930"), **early)) == "2026-11-19"


@pytest.mark.parametrize("version", [RECORD_VERSION - 1, RECORD_VERSION + 1, None, "4"])
def test_record_of_another_release_is_refused_by_its_version(version: object) -> None:
    values = {**record().model_dump(mode="json"), "record_version": version}
    with pytest.raises(
        FormatVersionError, match=rf"run.json of runs/monday must have version {RECORD_VERSION}, got {version}; use"
    ):
        parsed(values)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"{}", b'"text"'])
def test_what_is_no_record_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(DamagedError, match=r"^run.json of runs/monday must hold a run's record, got something else; "):
        parse_record(content, "runs/monday")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decision": None}, "but decision is wrong"),
        ({"images": {"ok": "many"}}, "but images.ok is wrong"),
        ({"keys": {"run": "k"}}, "but keys.listing is wrong (Field required)"),
    ],
)
def test_damaged_record_is_refused_by_what_is_wrong(changes: dict[str, object], said: str) -> None:
    with pytest.raises(DamagedError) as refusal:
        parsed({**record().model_dump(mode="json"), **changes})
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
