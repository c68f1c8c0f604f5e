"""`musc reproduce`: a past run computed again from its record, and what it says when something has changed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from storage.artefacts import writing
from storage.datasets.synthetic.lot import write_lot
from storage.results.runs import SCORES, Run
from storage.store import Store
from storage.tables import write_table

SMALL: dict[str, Any] = {"backbone": "texture", "image_size": 128, "layers": (0, 1), "degrees": (1, 3)}


@pytest.fixture(scope="module")
def lot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lot") / "caps"
    write_lot(folder, good_count=5, defective_count=2, size=128)
    (folder / "test" / "empty.png").write_bytes(b"")
    return folder / "test"


@pytest.fixture(scope="module")
def past(lot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run; its features are gone, as they may be after a clean-up."""
    from tests.flat import score_lot

    output = tmp_path_factory.mktemp("store")
    done = score_lot(str(lot), str(output), **SMALL)
    shutil.rmtree(output / "features")
    return output / done.run


def changed_copy(past: Path, name: str, change: Any) -> Path:
    """A copy of a run whose score table was changed, complete by its marker."""
    store = Store(str(past.parents[1]))
    table = Run(store, f"runs/{past.name}").scores()
    change(table)
    with writing(store, f"runs/{name}") as staging:
        for source in past.iterdir():
            if source.name in {"run.json", "images.parquet"}:
                store.write(f"{staging.path}/{source.name}", source.read_bytes())
        write_table(store, f"{staging.path}/{SCORES}", table)
        scores = f"runs/{past.name}/patch_scores.zarr"
        store.copy(scores, f"{staging.path}/patch_scores.zarr", store.sizes(scores))
    return past.parent / name


def command(*words: str) -> tuple[int, str]:
    from cli.main import app

    shown = CliRunner().invoke(app, ["reproduce", *words])
    return shown.exit_code, " ".join(shown.output.split())


def test_run_repeated_is_identical_and_leaves_nothing(past: Path) -> None:
    before = sorted(past.parents[1].rglob("*"))
    code, shown = command(str(past))
    assert (code, "Identical: all scores of 7 images" in shown) == (0, True)
    assert sorted(past.parents[1].rglob("*")) == before


def test_scores_that_differ_are_named(past: Path) -> None:
    def change(table: Any) -> None:
        table.loc[3, "raw_score"] += 0.25

    changed = changed_copy(past, "caps-changed", change)
    path = Run(Store(str(past.parents[1])), "runs/caps-changed").scores()["path"][3]
    code, shown = command(str(changed))
    assert code == 1
    assert "Not identical: 1 of 7 images has other scores; the largest difference of a raw score is 0.25." in shown
    assert path in shown


def test_images_that_changed_or_are_gone_are_named(past: Path, lot: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(lot, moved)
    first, second, *_ = sorted(moved.glob("good/*.png"))
    first.write_bytes(second.read_bytes())
    second.unlink()
    code, shown = command(str(past), "--folder", str(moved))
    assert code == 2
    assert "2 of 7" in shown
    assert "good/000.png (changed), good/001.png (gone)" in shown


def test_images_elsewhere_are_found_by_folder(past: Path, lot: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    lot.rename(moved)
    try:
        later = moved / "later.png"
        later.write_bytes((moved / "good" / "000.png").read_bytes()[:-9])
        assert command(str(past), "--folder", str(moved))[0] == 0
        later.unlink()
    finally:
        moved.rename(lot)


def test_missing_folder_is_named_with_the_way_out(past: Path, lot: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    lot.rename(moved)
    try:
        code, shown = command(str(past))
    finally:
        moved.rename(lot)
    assert code == 2
    assert f"got {lot}, which does not exist" in shown
    assert f"where the images of runs/{past.name} lie now with --folder" in shown


def test_run_of_a_relative_folder_is_repeated_from_anywhere(lot: Path, tmp_path: Path, monkeypatch: Any) -> None:
    from tests.flat import score_lot

    monkeypatch.chdir(lot.parent)
    done = score_lot(lot.name, str(tmp_path / "store"), **SMALL)
    monkeypatch.chdir(tmp_path)
    assert command(f"store/{done.run}")[0] == 0


def test_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    code, shown = command(str(tmp_path))
    assert code == 2
    assert "run must be a folder in runs/ of a store" in shown


def test_record_of_another_release_is_refused(past: Path) -> None:
    other = past.parent / "caps-other"
    shutil.copytree(past, other)
    record = json.loads((other / "run.json").read_text("utf-8"))
    size = (other / "run.json").stat().st_size
    text = json.dumps({**record, "record_version": 99}, ensure_ascii=False)
    (other / "run.json").write_text(text.ljust(size - len(text.encode()) + len(text)), encoding="utf-8")
    code, shown = command(str(other))
    assert code == 2
    assert "must have version" in shown
    assert "got 99" in shown


def test_run_scored_against_earlier_ones_is_repeated(lot: Path, tmp_path: Path) -> None:
    from tests.flat import score_lot

    store, single = tmp_path / "store", tmp_path / "single"
    earlier = score_lot(str(lot), str(store), **SMALL, threshold=2.0).run
    write_lot(tmp_path / "more", good_count=1, defective_count=0, size=128, seed=5)
    shutil.copytree(tmp_path / "more" / "test" / "good", single)
    done = score_lot(str(single), str(store), **SMALL, references_from=(str(store / earlier),))
    code, said = command(str(store / done.run))
    assert (code, "Identical: all scores of 1 image are" in said) == (0, True), said
