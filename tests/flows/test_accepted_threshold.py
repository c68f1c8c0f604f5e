"""The threshold that somebody chose for a product: taken by nights and by watch, named, and left out where asked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.pipelines.lot import score_folder
from flows.pipelines.night import score_night
from flows.pipelines.watch import open_watch
from planning.lot_job import OfProduct
from planning.requests import NightRequest, WatchRequest, request_of
from planning.tuning.accepted_threshold import with_accepted_threshold, without_accepted_threshold
from reports.night_lines import advice_lines
from reports.run_record import read_record
from reports.verdicts.counts import scored_alike
from storage.datasets.synthetic.lot import write_lot
from storage.products.accepted_thresholds import AcceptedThreshold, add_threshold, latest_threshold
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner

HOW: dict[str, Any] = {"backbone": "texture", "image_size": 64, "layers": (0, 1), "degrees": (1,)}
THRESHOLD = 0.0123


def night(root: Path, **options: Any) -> Any:
    runner = InlineRunner()
    given = {"root": str(root / "lots"), "output": str(root / "store"), **HOW, **options}
    return score_night(request_of(NightRequest, given), runner, lambda lot: score_folder(lot, runner))


def draw(root: Path, day: int) -> Path:
    folder = root / "lots" / "cap" / f"2026-11-{day}"
    folder.mkdir(parents=True)
    for picture in write_lot(root / f"drawn-{day}", good_count=8, defective_count=2, size=64, seed=day):
        (folder / picture.name).write_bytes(picture.read_bytes())
    return folder


def record_of(root: Path, outcome: Any) -> Any:
    return read_record(Run(Store(str(root / "store")), outcome.run))


@pytest.fixture
def chosen(tmp_path: Path) -> str:
    """After a first night somebody chose a threshold; its path."""
    draw(tmp_path, 21)
    (first,) = night(tmp_path).outcomes
    alike = scored_alike(record_of(tmp_path, first))
    return add_threshold(Store(str(tmp_path / "store")), AcceptedThreshold("cap", THRESHOLD, alike, first.run, "Ada"))


def test_next_night_takes_the_chosen_threshold_and_names_it(tmp_path: Path, chosen: str) -> None:
    draw(tmp_path, 22)
    done = night(tmp_path)
    assert [str(one.status) for one in done.outcomes] == ["finished before", "scored"]
    job = record_of(tmp_path, done.outcomes[1]).job
    assert (job.decisions.threshold, job.accepted_threshold.path) == (THRESHOLD, chosen)
    (line,) = [line for line in advice_lines(done) if "the threshold 0.0123 of cap, accepted by Ada" in line]
    assert line.endswith("cap-2026-11-22")
    assert without_accepted_threshold(job).decisions.threshold is None
    draw(tmp_path, 23)
    last = night(tmp_path, default_settings=True).outcomes[-1]
    assert record_of(tmp_path, last).job.accepted_threshold is None


def test_watch_takes_the_chosen_threshold(tmp_path: Path, chosen: str) -> None:
    (tmp_path / "new").mkdir()
    good = tmp_path / "lots" / "cap" / "2026-11-21"
    given = {"folder": str(tmp_path / "new"), "good": str(good), "output": str(tmp_path / "store"), "category": "cap"}
    watch = open_watch(request_of(WatchRequest, {**given, **HOW}), InlineRunner())
    assert watch.limits.columns["threshold"] == THRESHOLD
    assert watch.bank.job.accepted_threshold.path == chosen
    plain = open_watch(request_of(WatchRequest, {**given, **HOW, "default_settings": True}), InlineRunner())
    assert plain.bank.job.accepted_threshold is None


def test_last_choice_counts_though_the_clock_was_set_back(tmp_path: Path, chosen: str) -> None:
    store = Store(str(tmp_path / "store"))
    found = latest_threshold(store, "cap")
    assert found is not None
    add_threshold(store, replace(found[1], threshold=0.5, time="2999-01-01T00:00:00.000000+00:00"))
    add_threshold(store, replace(found[1], threshold=None))
    assert latest_threshold(store, "cap") is None


def test_threshold_decides_no_key_of_its_own(tmp_path: Path, chosen: str) -> None:
    store = Store(str(tmp_path / "store"))
    run = next(name for name in store.sizes("runs") if name.endswith("run.json")).split("/")[0]
    job = read_record(Run(store, f"runs/{run}")).job
    taken = with_accepted_threshold(job)
    by_hand = replace(job, decisions=job.decisions.changed(threshold=THRESHOLD))
    assert taken.identity == by_hand.identity != job.identity
    assert replace(taken, accepted_threshold=OfProduct("x", "y")).identity == taken.identity
