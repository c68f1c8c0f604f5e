"""Tune: verdicts about a product's lots choose its settings, which later nights take."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import flows.pipelines.scoring as scoring
from flows.pipelines.benchmark import measure_one, score_dataset
from flows.pipelines.lot import score_folder
from flows.pipelines.night import score_night as score_lots
from flows.pipelines.tune import tune_product
from flows.pipelines.watch import open_watch
from planning.nights.outcomes import Night
from planning.requests import BenchmarkRequest, NightRequest, WatchRequest, request_of
from planning.task_results import Tuned
from planning.tuning.choices import Choice
from planning.tuning.request import TuneRequest
from reports.night_lines import advice_lines
from reports.run_record import read_record
from reports.tuning.accept_and_go_back import go_back
from reports.tuning.judged_lots import TooFewVerdictsError
from storage.products.accepted_settings import AcceptedSettings, add_accepted
from storage.products.tunings import SCORES, read_tuning
from storage.results.runs import Run
from storage.results.verdicts import DEFECTIVE, GOOD
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request
from tests.flows.judged_lots import PRODUCT, draw_night, judge, score_night


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `lots/` and `store/`: one night, five images of each kind judged."""
    root = tmp_path_factory.mktemp("tune")
    judge(score_night(root, draw_night(root, 21)), 5)
    return root


@pytest.fixture
def root(judged: Path, tmp_path: Path) -> Path:
    """A copy whose store a test may change; the lots stay where they are."""
    shutil.copytree(judged / "store", tmp_path / "store")
    return tmp_path


def tune(root: Path, **options: Any) -> Tuned:
    given = {"category": PRODUCT, "output": str(root / "store"), "networks": "texture", "sizes": "64,96", **options}
    return tune_product(request_of(TuneRequest, given), InlineRunner())


def trials(root: Path) -> set[str]:
    return {path.name for path in (root / "store" / "trials").iterdir()}


def test_tuning_compares_every_choice_with_the_settings_in_use(root: Path) -> None:
    found = read_tuning(Store(str(root / "store")), tune(root).path)
    assert (found.defective, found.good, found.choices[0].text) == (5, 5, "efficientnet-lite0")
    texts = [choice.text for choice in found.choices]
    assert len(texts) == len(set(texts))
    assert {"texture, 64 pixels", "texture, 96 pixels, image score position"} <= set(texts)
    assert all(0 <= choice.low <= choice.auroc <= choice.high <= 1 for choice in found.choices)
    assert [lot.images for lot in found.lots] == [13]


def test_tuning_with_two_more_verdicts_computes_no_scores_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tune(root)
    made = trials(root)
    (run,) = (root / "store" / "runs").iterdir()
    judge(Run(Store(str(root / "store")), f"runs/{run.name}"), 2, kinds=(GOOD,), start=5)
    monkeypatch.setattr(scoring, "compare_lot", None)
    second = tune(root)
    assert second.path != first.path
    assert read_tuning(Store(str(root / "store")), second.path).good == 7
    assert trials(root) == made


def test_tuning_with_two_more_verdicts_reads_scores_alone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither photographs nor features nor patch scores; one task, which judges; and each table of scores once."""
    tune(root)
    (run,) = (root / "store" / "runs").iterdir()
    judge(Run(Store(str(root / "store")), f"runs/{run.name}"), 1, start=4, kinds=(DEFECTIVE,))
    judge(Run(Store(str(root / "store")), f"runs/{run.name}"), 1, start=5, kinds=(GOOD,))
    files, stages, read, outcomes = [], [], Store.read, InlineRunner.outcomes

    def counted_read(store: Store, path: str) -> bytes:
        files.append((Path(store.url).name, path))
        return read(store, path)

    def counted_outcomes(runner: InlineRunner, stage: str, *given: Any, **named: Any) -> Any:
        stages.append(stage)
        return outcomes(runner, stage, *given, **named)

    monkeypatch.setattr(Store, "read", counted_read)
    monkeypatch.setattr(InlineRunner, "outcomes", counted_outcomes)
    tune(root)
    assert stages == ["tune"]
    assert {place for place, _ in files} == {"store"}, "no photograph is read"
    assert {path.split("/")[0] for _, path in files} & {"features", "patch_scores", "aggregated"} == set()
    tables = [path for _, path in files if path.endswith(SCORES) and path.startswith("trials/")]
    assert len(tables) == len(set(tables)) == len(trials(root))


def test_tuning_that_was_stopped_goes_on(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, compare = [], scoring.compare_lot

    def stop_at_second(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return compare(*arguments)

    monkeypatch.setattr(scoring, "compare_lot", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        tune(root)
    made = trials(root)
    assert len(made) == 1
    tune(root)
    assert len(calls) == 2 + len(trials(root)) - 1, "the first trial is not made again"
    assert made < trials(root)


def test_too_few_verdicts_are_refused_with_the_number_missing(tmp_path: Path) -> None:
    run = score_night(tmp_path, draw_night(tmp_path, 22))
    with pytest.raises(TooFewVerdictsError, match=r"judge 5 more defective and 5 more good on the review site"):
        tune(tmp_path)
    judge(run, 4, kinds=(GOOD,))
    with pytest.raises(TooFewVerdictsError, match=r"got 0 and 4; judge 5 more defective and 1 more good"):
        tune(tmp_path)


def test_lot_whose_photographs_are_gone_is_left_out_with_a_sentence(root: Path, judged: Path) -> None:
    other = score_night(root, draw_night(root, 23))
    judge(other, 5)
    shutil.rmtree(root / "lots")
    done = tune(root, sizes="64", networks="texture")
    assert len(done.left_out) == 1
    assert "cap-2026-11-23 are left out" in done.left_out[0]
    assert read_tuning(Store(str(root / "store")), done.path).defective == 5


def accept(root: Path) -> None:
    settings = Choice("texture", 96, (1,), "position").options
    add_accepted(Store(str(root / "store")), AcceptedSettings(PRODUCT, settings, "Ann", "tunings/x", 5, 7))


def test_accepted_settings_are_taken_and_named_in_the_record(root: Path, judged: Path) -> None:
    accept(root)
    folder, store = judged / "lots" / PRODUCT / "2026-11-21", root / "store"

    def score(**options: Any) -> dict[str, Any]:
        done = score_folder(lot_request(folder, store, category=PRODUCT, **options), InlineRunner())
        assert done.report
        page = (store / done.report).read_text("utf-8")
        record = read_record(Run(Store(str(store)), done.run))
        told = json.loads((store / done.run / "run.json").read_text())["job"]["of_product"]
        assert ("accepted by Ann" in page) == (told is not None)
        layers = [layer.number for layer in record.job.backbone.layers]
        return {"told": told, "size": record.job.backbone.image_size, "layers": layers, "done": done}

    first = score()
    assert (first["size"], first["layers"]) == ((96, 96), [1])
    assert "texture, 96 pixels, layers 1, image score position" in first["told"]["text"]
    assert "5 defective and 7 good" in first["done"].of_product
    by_hand = score(backbone="texture", image_size=64)
    assert (by_hand["told"], by_hand["size"]) == (None, (64, 64))
    plain = score(default_settings=True, image_size=64, backbone="texture")
    assert plain["done"].run == by_hand["done"].run, "accepted settings decide nothing where they are not taken"
    go_back(Store(str(store)), PRODUCT, "Bob")
    assert score(backbone="texture", image_size=64)["done"].reused


def night(root: Path, lots: Path, **options: Any) -> Night:
    runner = InlineRunner()
    request = request_of(NightRequest, {"root": str(lots), "output": str(root / "store"), **options})
    return score_lots(request, runner, lambda lot: score_folder(lot, runner))


def test_next_night_takes_accepted_settings_and_leaves_finished_lots_alone(tmp_path: Path) -> None:
    draw_night(tmp_path, 21)
    assert [str(one.status) for one in night(tmp_path, tmp_path / "lots").outcomes] == ["scored"]
    accept(tmp_path)
    draw_night(tmp_path, 22)
    second = night(tmp_path, tmp_path / "lots")
    assert [str(one.status) for one in second.outcomes] == ["finished before", "scored"]
    lines = [line for line in advice_lines(second) if line.startswith("Scored with the settings of cap: texture, 96")]
    assert len(lines) == 1
    assert lines[0].endswith("cap-2026-11-22")
    records = [read_record(Run(Store(str(tmp_path / "store")), one.run)) for one in second.outcomes]
    assert [record.job.backbone.name for record in records] == ["efficientnet-lite0", "texture"]
    assert records[1].decision.nights == (), "scores of other settings take no part in the decision"
    plain = night(tmp_path, tmp_path / "lots", default_settings=True)
    assert all(
        read_record(Run(Store(str(tmp_path / "store")), one.run)).job.of_product is None for one in plain.outcomes
    )


def test_benchmark_takes_accepted_settings_unless_networks_are_named(tmp_path: Path) -> None:
    data = tmp_path / "data" / PRODUCT / "test"
    for kind in ("good", "bad"):
        (data / kind).mkdir(parents=True)
    for image in draw_night(tmp_path, 21).iterdir():
        (data / image.name.partition("-")[0] / image.name).write_bytes(image.read_bytes())
    accept(tmp_path)

    def networks(**options: Any) -> set[str]:
        runner = InlineRunner()
        given = {"dataset": "folder", "root": str(tmp_path / "data"), "output": str(tmp_path / "store"), **options}
        score_dataset(request_of(BenchmarkRequest, given), runner, lambda *one: measure_one(*one, runner))
        runs = (tmp_path / "store" / "runs").glob("*/run.json")
        return {json.loads(path.read_text())["job"]["backbone"]["name"] for path in runs}

    assert networks() == {"texture"}
    assert networks(backbone="efficientnet-lite0", image_size=64) == {"texture", "efficientnet-lite0"}


def test_watch_takes_accepted_settings(root: Path, judged: Path) -> None:
    accept(root)
    (root / "new").mkdir()
    given = {"folder": str(root / "new"), "output": str(root / "store"), "category": PRODUCT}
    good = judged / "lots" / PRODUCT / "2026-11-21"
    job = open_watch(request_of(WatchRequest, {**given, "good": str(good)}), InlineRunner()).bank.job
    assert (job.backbone.name, job.settings.image_score) == ("texture", "position")
    assert job.of_product is not None
