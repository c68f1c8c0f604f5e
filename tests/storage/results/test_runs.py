"""Runs: a finished one is read back, an unfinished one is refused by what it lacks."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pandas.testing
import pytest

from storage.artefacts import writing
from storage.errors import FormatVersionError, IncompleteError
from storage.images.lots import ListedImage
from storage.results.patch_scores import write_scores
from storage.results.runs import BOXES, CONTENTS, IMAGES, PATCH_SCORES, README, RECORD, SCORES, Run, write_record
from storage.store import Store
from storage.tables import write_table

PATH = "runs/tonight"
PATCH_VALUES = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
TABLE = pd.DataFrame({"path": ["b.png", "größe.png"], "score": [0.7, 0.2]})
FILES = pd.DataFrame({"path": ["b.png", "c.txt", "größe.png"], "status": ["ok", "not_an_image", "ok"]})
REGIONS = pd.DataFrame({"path": ["b.png"], "x": [3], "y": [4], "width": [5], "height": [6]})
STATUSES = ("ok", "duplicate", "not_finite", "ok", "unreadable")
SETTINGS = {"settings": {"interval": [0.0, 0.3]}, "lot": "größe"}


@pytest.fixture
def run_store(store: Store) -> Store:
    """A store that holds one finished run."""
    with writing(store, PATH) as staging:
        write_scores(store, f"{staging.path}/{PATCH_SCORES}", PATCH_VALUES, {})
        write_table(store, f"{staging.path}/{IMAGES}", FILES)
        write_table(store, f"{staging.path}/{SCORES}", TABLE)
        write_table(store, f"{staging.path}/{BOXES}", REGIONS)
        write_record(store, staging.path, SETTINGS)
        store.write(f"{staging.path}/{README}", b"plain words")
    return store


def test_run_reads_its_scores(run_store: Store) -> None:
    pandas.testing.assert_frame_equal(Run(run_store, PATH).scores(), TABLE, check_exact=True)


def test_run_reads_its_images(run_store: Store) -> None:
    pandas.testing.assert_frame_equal(Run(run_store, PATH).images(), FILES)


def test_run_reads_its_patch_scores(run_store: Store) -> None:
    np.testing.assert_array_equal(Run(run_store, PATH).patch_scores(), PATCH_VALUES, strict=True)


def test_run_reads_its_record(run_store: Store) -> None:
    assert json.loads(Run(run_store, PATH).record_content()) == SETTINGS


def test_run_names_the_files_that_were_left_out(run_store: Store) -> None:
    assert Run(run_store, PATH).left_out().to_dict("records") == [{"path": "c.txt", "status": "not_an_image"}]


def test_run_names_its_scored_images_in_order(local_store: Store) -> None:
    rows = [(f"id{row}", f"{row}.png", f"sha{row}", 4, 3, status, "") for row, status in enumerate(STATUSES)]
    files = [ListedImage(*row) for row in rows]
    with writing(local_store, PATH) as staging:
        write_table(local_store, f"{staging.path}/{IMAGES}", pd.DataFrame([asdict(file) for file in files]))
    assert Run(local_store, PATH).scored_images() == [files[0], files[3]]


def test_run_holds_the_files_that_are_promised(run_store: Store) -> None:
    held = {name.split("/")[0] for name in run_store.sizes(PATH)}
    assert held == {*CONTENTS, "complete.json"}


def test_run_names_every_file_it_lacks(run_store: Store) -> None:
    run_store.filesystem.rm_file(run_store.full(f"{PATH}/{SCORES}"))
    run_store.filesystem.rm_file(run_store.full(f"{PATH}/{PATCH_SCORES}/scores/c/0/0/0"))
    run_store.write(f"{PATH}/{RECORD}", b"{}")
    with pytest.raises(IncompleteError, match="3 files are missing or cut short") as refusal:
        Run(run_store, PATH)
    for name in (f"{PATH}/{SCORES}", f"{PATH}/{PATCH_SCORES}/scores/c/0/0/0", f"{PATH}/{RECORD}"):
        assert name in str(refusal.value)


def test_run_that_is_still_being_written_is_refused(local_store: Store) -> None:
    with writing(local_store, PATH) as staging:
        write_record(local_store, staging.path, SETTINGS)
        with pytest.raises(IncompleteError, match=r"1 file is missing or cut short: runs/tonight/complete\.json"):
            Run(local_store, PATH)


def test_run_that_never_was_is_refused(local_store: Store) -> None:
    with pytest.raises(FileNotFoundError, match=r"runs/tonight/complete\.json; run the same command again"):
        Run(local_store, PATH)


def test_run_of_another_release_is_refused(run_store: Store) -> None:
    run_store.write(f"{PATH}/complete.json", json.dumps({"format_version": 1, "facts": {}, "files": {}}).encode())
    with pytest.raises(FormatVersionError, match="must have format version 2, got 1"):
        Run(run_store, PATH)


def test_record_is_readable_by_people(local_store: Store) -> None:
    write_record(local_store, PATH, SETTINGS)
    lines = local_store.read(f"{PATH}/{RECORD}").decode().splitlines()
    assert lines[:2] == ["{", '  "lot": "größe",']


def test_record_of_equal_settings_is_equal_bytes(local_store: Store) -> None:
    write_record(local_store, "one", SETTINGS)
    write_record(local_store, "two", dict(reversed(SETTINGS.items())))
    assert local_store.read(f"one/{RECORD}") == local_store.read(f"two/{RECORD}")
