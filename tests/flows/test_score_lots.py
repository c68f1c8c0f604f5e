"""A night over lots of all kinds: what is scored, what is not, and what is done only once."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from planning.nights.outcomes import Night, Status
from planning.requests import LotRequest
from planning.task_results import ScoredLot
from reports.night_lines import advice_lines, lot_line
from reports.run_record import read_record
from storage.errors import NoImagesError
from storage.results.runs import Run
from storage.store import Store
from tests.flat import lot_request
from tests.flows.conftest import draw

SMALL = {"backbone": "texture", "image_size": 64, "layers": (0,), "degrees": (1,)}
PREFECT = {"engine": "threads"}
NOTHING = {"scored": 0, "finished_before": 0, "too_small": 0, "failed": 0}


def draw_lot(folder: Path, seed: int, count: int = 4) -> None:
    for number in range(count):
        draw(folder / f"{number:03d}.png", seed + number, defective=number == count - 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "lots"
    draw_lot(folder / "bolt" / "2026-11-20", 10)
    draw_lot(folder / "nut" / "spec-7", 30)
    return folder


def whole_night(root: Path, output: Path, **changes: Any) -> Night:
    from tests.flat import score_lots

    return score_lots(root, output, **{**SMALL, **changes})


def night(root: Path, output: Path, **changes: Any) -> dict[str, int]:
    """The counts of a night."""
    done = whole_night(root, output, **changes)
    return {status.replace(" ", "_"): done.count(status) for status in Status}


def notes(root: Path, output: Path, **changes: Any) -> list[str]:
    done = whole_night(root, output, **changes)
    return [*(lot_line(one) for one in done.with_status(Status.TOO_SMALL)), *advice_lines(done)]


def run_count(flow: str) -> int:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName

    with get_client(sync_client=True) as client:
        return len(client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=[flow])), limit=200))


def runs(output: Path) -> list[str]:
    return sorted(path.name.rpartition("-")[0] for path in (output / "runs").iterdir())


@pytest.mark.usefixtures("prefect_server")
def test_night_scores_every_lot_once_and_catches_up(root: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert night(root, output, **PREFECT) == {**NOTHING, "scored": 2}
    assert runs(output) == ["bolt-2026-11-20", "nut-spec-7"]
    draw_lot(root / "bolt" / "2026-11-21", 50)
    before = run_count("score-lot")
    assert night(root, output, **PREFECT) == {**NOTHING, "scored": 1, "finished_before": 2}
    assert run_count("score-lot") == before + 1
    assert night(root, output, **PREFECT) == {**NOTHING, "finished_before": 3}
    assert run_count("score-lot") == before + 1


def test_night_knows_category_and_lot(root: Path, tmp_path: Path) -> None:
    night(root, tmp_path / "out", category="bolt")
    (path,) = (tmp_path / "out" / "runs").iterdir()
    record = read_record(Run(Store(str(tmp_path / "out")), f"runs/{path.name}")).job
    assert (record.category, record.lot) == ("bolt", "bolt-2026-11-20")
    assert record.folder == f"{root}/bolt/2026-11-20"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda root, output: draw(root / "nut/spec-7/new.png", 99, defective=False), id="image added"),
        pytest.param(lambda root, output: (root / "nut/spec-7/000.png").unlink(), id="image removed"),
        pytest.param(
            lambda root, output: next(output.glob("runs/nut-*/scores.parquet")).write_bytes(b"cut"), id="result damaged"
        ),
        pytest.param(lambda root, output: shutil.rmtree(next(output.glob("runs/nut-*"))), id="result deleted"),
    ],
)
def test_night_scores_what_is_not_finished_any_more(
    root: Path, tmp_path: Path, change: Callable[[Path, Path], object]
) -> None:
    night(root, tmp_path / "out")
    change(root, tmp_path / "out")
    assert night(root, tmp_path / "out") == {**NOTHING, "scored": 1, "finished_before": 1}
    assert night(root, tmp_path / "out") == {**NOTHING, "finished_before": 2}


def test_night_with_other_settings_scores_again(root: Path, tmp_path: Path) -> None:
    night(root, tmp_path / "out", category="bolt")
    assert night(root, tmp_path / "out", category="bolt", rscin_windows=(1,))["scored"] == 1
    assert night(root, tmp_path / "out", category="bolt", memory="3GB", block_images=8)["finished_before"] == 1


@pytest.mark.usefixtures("prefect_server")
def test_night_hands_every_option_to_its_lots(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {
        **SMALL,
        **{"interval": (0.0, 0.5), "rscin_windows": (1,), "references": 3, "seed": 5, "match_radius": 2},
        **{"false_alarms": 2.0, "suspects": 0.1, "review_budget": 3, "threshold": 0.4, "maps": "png"},
        **{"device": "cpu", "memory": "3GB", "block_images": 8, "store_aggregated": True, **PREFECT},
    }
    asked: dict[str, LotRequest] = {}

    def score(**given: Any) -> ScoredLot:
        asked[given["folder"]] = LotRequest(**given)
        told: dict[str, Any] = {
            "flagged": 0,
            "suspect": 0,
            "warnings": (),
            "unusual": (),
            "is_followed": False,
            "notes": (),
        }
        return ScoredLot(run="runs/x", key="k", images=4, files=4, report=None, problems=(), unopened=0, **told)

    monkeypatch.setattr("flows.score_lots.score_lot", score)
    assert night(root, tmp_path / "out", **options) == {**NOTHING, "scored": 2}
    for category, name in (("bolt", "2026-11-20"), ("nut", "spec-7")):
        folder = f"{root}/{category}/{name}"
        expected = lot_request(folder, tmp_path / "out", lot=f"{category}-{name}", category=category, **options)
        assert asked[folder] == expected


def test_night_needs_no_features_to_know_what_is_finished(root: Path, tmp_path: Path) -> None:
    night(root, tmp_path / "out")
    for stage in ("features", "patch_scores", "lots"):
        shutil.rmtree(tmp_path / "out" / stage)
    assert night(root, tmp_path / "out") == {**NOTHING, "finished_before": 2}


def test_night_leaves_out_earlier_dates_but_no_undated_lot(root: Path, tmp_path: Path) -> None:
    draw_lot(root / "bolt" / "2026-11-21", 50)
    assert night(root, tmp_path / "out", since=date(2026, 11, 21)) == {**NOTHING, "scored": 2}
    assert runs(tmp_path / "out") == ["bolt-2026-11-21", "nut-spec-7"]


@pytest.mark.usefixtures("prefect_server")
def test_night_reports_small_lots_and_goes_on(root: Path, tmp_path: Path) -> None:
    (root / "bolt" / "2026-11-22").mkdir()
    draw_lot(root / "bolt" / "2026-11-23", 60, count=1)
    for name in ("a.png", "b.png"):  # two files, one content: only reading tells
        draw(root / "bolt" / "2026-11-24" / name, 70, defective=False)
    assert night(root, tmp_path / "out") == {**NOTHING, "scored": 2, "too_small": 3}
    before = run_count("score-lot")
    assert night(root, tmp_path / "out", **PREFECT) == {**NOTHING, "finished_before": 2, "too_small": 3}
    assert run_count("score-lot") == before
    said = notes(root, tmp_path / "out")
    assert [line.partition(":")[0] for line in said[:3]] == [f"bolt-2026-11-{day}" for day in (22, 23, 24)]
    assert "at least 2 usable images" in said[2]
    assert "1 duplicate" in said[2]


@pytest.mark.usefixtures("prefect_server")
def test_night_goes_on_after_a_failed_lot_and_names_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows import failed_runs as hooks
    from flows.pipelines.night import NightFailedError
    from tasks import write_run as rescore

    real = rescore.score_table

    def failing(spec: Any, *rest: Any) -> Any:
        if spec.job.category == "bolt":
            raise ValueError("planted fault")
        return real(spec, *rest)

    told: list[tuple[Any, ...]] = []
    with monkeypatch.context() as patch:
        patch.setattr(rescore, "score_table", failing)
        patch.setattr(hooks, "emit_stopped", lambda *what: told.append(what))
        with pytest.raises(
            NightFailedError, match=r"1 of 2 lots failed, .*bolt-2026-11-20: rescore failed .*planted fault"
        ):
            night(root, tmp_path / "out", **PREFECT)
    ((what, run, parameters, names, why),) = told
    assert (what, run, list(names)) == ("failed", "score bolt-2026-11-20", ["rescore bolt-2026-11-20"])
    assert (parameters["category"], parameters["lot"]) == ("bolt", "bolt-2026-11-20")
    assert "planted fault" in why
    assert runs(tmp_path / "out") == ["nut-spec-7"]
    assert night(root, tmp_path / "out") == {**NOTHING, "scored": 1, "finished_before": 1}


def test_night_refuses_before_any_work(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"category must be a folder below .*, got 'bolts'; there are bolt, nut"):
        night(root, tmp_path / "out", category="bolts")
    with pytest.raises(ValueError, match="degree must be a positive odd number"):
        night(root, tmp_path / "out", degrees=(2,))
    with pytest.raises(NoImagesError, match="which does not exist"):
        night(root / "absent", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_night_without_lots_has_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "lots").mkdir()
    assert night(tmp_path / "lots", tmp_path / "out") == NOTHING
    (said,) = notes(tmp_path / "lots", tmp_path / "out")
    assert "no lot lies below" in said


def test_night_follows_a_category_that_is_a_link(root: Path, tmp_path: Path) -> None:
    (root / "bolt").rename(tmp_path / "camera")
    (root / "bolt").symlink_to(tmp_path / "camera")
    (root / "loop").symlink_to(root)
    output = tmp_path / "out"
    done = whole_night(root, output)
    assert len(done.runs) == 2
    assert runs(output) == ["bolt-2026-11-20", "nut-spec-7"]
    (said,) = done.left_out
    assert said.path == "loop"
    assert said.reason.startswith("symbolic link leads to what holds the root or lies in it")
    assert night(root, output) == {**NOTHING, "finished_before": 2}


def test_night_over_one_category_taken_for_the_root_fails(root: Path, tmp_path: Path) -> None:
    with pytest.raises(NoImagesError, match=r"root must hold lots as .*, got .*bolt, which holds none but images such"):
        night(root / "bolt", tmp_path / "out")


def test_night_says_which_folders_are_no_lots(root: Path, tmp_path: Path) -> None:
    draw(root / "loose.png", 3, defective=False)
    (said,) = whole_night(root, tmp_path / "out").left_out
    assert said.path == "loose.png"


@pytest.mark.parametrize(("denied", "first"), [(1, "scored"), (4, "failed")])
def test_night_looks_again_at_a_lot_with_files_that_could_not_be_opened(
    denied: int, first: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.pipelines.night import NightFailedError

    real = Store.read

    def read(store: Store, path: str) -> bytes:
        if path in {f"{number:03d}.png" for number in range(denied)}:
            raise PermissionError(path)
        return real(store, path)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", read)
        if first == "failed":
            with pytest.raises(NightFailedError, match=r"1 of 1 lot failed.*besides: 4 unreadable"):
                night(root, tmp_path / "out", category="bolt")
        else:
            said = notes(root, tmp_path / "out", category="bolt")[-1]
            assert "1 file could not be opened" in said
    assert night(root, tmp_path / "out", category="bolt") == {**NOTHING, "scored": 1}
    assert night(root, tmp_path / "out", category="bolt") == {**NOTHING, "finished_before": 1}


def test_night_makes_up_for_a_report_and_for_maps(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(values: Any) -> str:
        raise OSError(28, "No space left on device")

    output = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("tasks.report.render", full)
        said = notes(root, output, category="bolt")[-1]
        assert "the report could not be made" in said
    for missing, changes in (("page", {}), ("maps", {"maps": "png"})):
        (again,) = whole_night(root, output, category="bolt", **changes).outcomes
        assert (again.status, again.created) == (Status.FINISHED, (missing,))
    assert list(output.glob("runs/bolt-*/report/report.html"))
    assert list(output.glob("runs/bolt-*/maps-png"))
    assert night(root, output, category="bolt", maps="png") == {**NOTHING, "finished_before": 1}
