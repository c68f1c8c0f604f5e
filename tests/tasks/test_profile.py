"""The few numbers of a run that later nights are compared with."""

import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from musc.tiles import Tile
from reports.brightness_sharpness import RememberedAppearances
from reports.page.run_files_specs import ProfileSpec
from storage.artefacts import writing
from storage.images.decode import decode
from storage.images.decoded_at_once import InFlight
from storage.images.listing import list_files
from storage.results.runs import SCORES, Run, write_record
from storage.store import Store
from storage.tables import write_table
from tasks import extract, profile
from tasks.profile import profile_of
from tests.flat import job_of, record_of


def test_profile_is_the_runs_numbers(tmp_path: Path) -> None:
    store, nan = Store(str(tmp_path)), float("nan")
    record = record_of(job_of())
    record = record.model_copy(update={"decision": record.decision.model_copy(update={"flagged_count": 2})})
    with writing(store, "runs/x") as staging:
        write_table(store, f"{staging.path}/{SCORES}", pd.DataFrame({"raw_score": np.arange(100, -1, -1) / 100}))
        write_record(store, staging.path, record.model_dump(mode="json"))
    appearance = pd.DataFrame({"brightness": [0.2, nan, 0.4, 0.9], "sharpness": [nan] * 4})
    found = profile_of(Run(store, "runs/x"), appearance, np.array([[3.0, 0.0], [0.0, 0.5]], dtype=np.float32))
    assert [found.score_median, found.score_p90, found.score_p99] == pytest.approx([0.5, 0.9, 0.99])
    assert (found.image_count, found.flagged_count, found.flagged_rate) == (101, 2, 2 / 101)
    assert (found.brightness, found.sharpness) == (0.4, None)
    assert found.mean_class_token == pytest.approx([0.5**0.5] * 2)
    assert (found.run, found.lot, found.listing) == ("runs/x", "night", "l")


def test_large_photographs_are_decoded_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, most, lock = [0], [0], threading.Lock()
    for number in range(6):
        Image.new("RGB", (64, 48), (number, 0, 0)).save(tmp_path / f"{number}.png")
    images = list_files(Store(str(tmp_path)), [f"{number}.png" for number in range(6)])

    def counted(content: bytes) -> Image.Image:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        return decode(content)

    monkeypatch.setattr(profile, "decode", counted)
    spec = ProfileSpec("k", "cap", str(tmp_path), str(tmp_path), "runs/x", "x", "profiles/k", 6)
    for allowed, expected in ((1, {1}), (10**9, {2, 3, 4})):
        most[0] = 0
        monkeypatch.setattr(profile, "IN_FLIGHT", InFlight(allowed))
        assert profile.appearance_table(spec, images)["brightness"].notna().all()
        assert most[0] in expected


def test_what_extraction_decoded_is_not_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(5)
    names = [f"{number}.png" for number in range(4)]
    for name in names:
        Image.fromarray(generator.integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(tmp_path / name)
    folder = Store(str(tmp_path))
    images = list_files(folder, names)
    spec = ProfileSpec("k", "cap", str(tmp_path), str(tmp_path), "runs/x", "x", "profiles/k", 4)
    expected = profile.appearance_table(spec, images)
    decoded: list[bytes] = []
    monkeypatch.setattr(profile, "decode", lambda content: decoded.append(content) or decode(content))
    monkeypatch.setattr(profile, "REMEMBERED", RememberedAppearances())
    monkeypatch.setattr(extract, "REMEMBERED", profile.REMEMBERED)
    photographs = extract.PhotographDecoder(folder)
    photographs.part(images[0], None)
    photographs.part(images[1], Tile(0, 0, 20, 20))
    pd.testing.assert_frame_equal(profile.appearance_table(spec, images), expected)
    assert sorted(decoded) == sorted((tmp_path / name).read_bytes() for name in names[2:])
