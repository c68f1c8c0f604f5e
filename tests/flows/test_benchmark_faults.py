"""A benchmark when something is wrong, and what it makes anew when masks or places have changed."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.flows.measuring import OPTIONS, measure, written

PREFECT = {"engine": "threads"}


@pytest.fixture
def damaged_root(folder_root: Path, tmp_path: Path) -> Path:
    """Categories `caps` and `lids`, an image of the first one cut short."""
    root = tmp_path / "damaged"
    shutil.copytree(folder_root, root)
    image = root / "caps" / "test" / "good" / "002.png"
    image.write_bytes(image.read_bytes()[:900])
    return root


@pytest.mark.usefixtures("prefect_server")
def test_benchmark_categories_fail_alone(damaged_root: Path, tmp_path: Path) -> None:
    from cli.main import app
    from flows.pipelines.benchmark import BenchmarkFailedError

    output = tmp_path / "out"
    with pytest.raises(BenchmarkFailedError, match=r"1 of 2 categories failed, .* caps with texture: .*good/002\.png"):
        measure("folder", damaged_root, output, **PREFECT)
    (path,) = output.glob("benchmarks/*/metrics.parquet")
    table = pd.read_parquet(path)
    assert set(table["category"]) == {"lids", "mean"}
    shown = CliRunner().invoke(app, ["benchmark", "folder", str(damaged_root), "--output", str(output), *OPTIONS])
    assert shown.exit_code == 1
    assert "error: 1 of 2 categories failed" in shown.stderr
    assert "caps/test/good/002.png" in shown.stderr
    assert "Traceback" not in shown.output
    assert "lids" in shown.stdout
    assert str(path.relative_to(output)) in shown.stdout


def test_benchmark_without_any_measured_category_says_so(damaged_root: Path, tmp_path: Path) -> None:
    from flows.pipelines.benchmark import BenchmarkFailedError

    with pytest.raises(BenchmarkFailedError, match="1 of 1 category failed, nothing was measured: caps"):
        measure("folder", damaged_root, tmp_path / "out", categories=("caps",))
    assert not (tmp_path / "out" / "benchmarks").exists()


def planted(monkeypatch: pytest.MonkeyPatch, errors: list[Exception]) -> list[str]:
    """Let measuring fail with each error in turn, then succeed; gives what was measured, one entry per attempt."""
    from tasks import evaluate as measuring
    from tasks.runtime.prefect_tasks import cached_task

    real, attempts = measuring.network_size_metrics, []

    def failing(found: Any, dataset: str, root: str) -> dict[str, float]:
        attempts.append(found.images[0].path.split("/")[0])
        if errors:
            raise errors.pop(0)
        return real(found, dataset, root)

    monkeypatch.setattr(measuring, "network_size_metrics", failing)
    monkeypatch.setattr(cached_task("measure", measuring.evaluate_category), "retry_delay_seconds", 0)
    return attempts


@pytest.mark.usefixtures("prefect_server")
def test_benchmark_repeats_what_may_pass_and_nothing_else(
    folder_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.pipelines.benchmark import BenchmarkFailedError

    attempts = planted(monkeypatch, [ConnectionResetError("planted"), OSError("planted"), ValueError("planted fault")])
    with pytest.raises(BenchmarkFailedError, match=r"1 of 2 categories failed, .*: caps with texture: .*planted fault"):
        measure("folder", folder_root, tmp_path, **PREFECT)
    assert attempts == ["caps", "caps", "caps", "lids"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subsets": 0}, "subsets must be greater than or equal to 1, got 0"),
        ({"subsets": 6}, "subsets must be a positive count .* got 6 for 11 images; use at most 5"),
        ({"backbone": ("texture", "texture")}, "backbone must name each value once, got texture 2 times"),
        ({"backbone": ("texture", "ViT-L-14"), "weights": "x.pt"}, "weights must go with one backbone, got 2"),
        ({"degrees": (2,)}, "degree must be a positive odd number"),
        ({"categories": ("caps", "cups")}, "category 'cups' is unknown; known: caps, lids"),
    ],
)
def test_benchmark_refuses_before_any_work(
    changes: dict[str, Any], message: str, folder_root: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        measure("folder", folder_root, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_changed_mask_is_measured_anew_without_scoring(folder_root: Path, tmp_path: Path) -> None:
    root, output = tmp_path / "root", tmp_path / "out"
    shutil.copytree(folder_root / "caps", root / "caps")
    before = measure("folder", root, output).set_index("metric")
    scored, metrics = written(output, "features", "patch_scores", "runs"), written(output, "metrics")
    mask = root / "caps" / "ground_truth" / "dented" / "001_mask.png"
    Image.fromarray(np.asarray(Image.open(mask))[::-1].copy()).save(mask)
    after = measure("folder", root, output).set_index("metric")
    assert written(output, "features", "patch_scores", "runs") == scored
    assert len(written(output, "metrics")) == len(metrics) + 1
    assert (after["value"] < before["value"])[["pixel_auroc", "pixel_ap"]].all(axis=None)
    pd.testing.assert_series_equal(after.loc["image_auroc", "value"], before.loc["image_auroc", "value"])


def test_moved_dataset_is_not_scored_again(folder_root: Path, tmp_path: Path) -> None:
    first, moved, output = tmp_path / "first", tmp_path / "moved", tmp_path / "out"
    shutil.copytree(folder_root / "caps", first / "caps")
    before = measure("folder", first, output)
    made = written(output, "features", "patch_scores", "runs")
    for metrics in (output / "metrics").iterdir():
        shutil.rmtree(metrics)
    first.rename(moved)
    pd.testing.assert_frame_equal(measure("folder", moved, output), before)
    assert written(output, "features", "patch_scores", "runs") == made
