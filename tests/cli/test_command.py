"""What the command says, as a person sees it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

import musc
from cli.main import app
from cli.process.errors import FAILED
from musc.backbones.texture.spec import TOKEN_WIDTH
from musc.layers import Layer
from musc.plan.layer_comparison import LayerComparison
from planning.estimates.time_and_memory import PRODUCTS
from planning.requests import BenchmarkRequest
from planning.task_specs import BlockRows
from reports.recorded_job import Reproduction
from storage.datasets.synthetic.lot import write_lot
from storage.store import Store

runner = CliRunner()


@pytest.mark.parametrize(("option", "said"), [("--help", "score"), ("--version", f"musc {musc.__version__}\n")])
def test_help_and_version_are_light(option: str, said: str) -> None:
    called = f"app(['{option}'], standalone_mode=False)"
    watched = f"import sys; from cli.main import app; {called}; print(sorted(sys.modules))"
    started = time.monotonic()
    shown = subprocess.run([sys.executable, "-c", watched], capture_output=True, text=True, check=True).stdout
    seconds = time.monotonic() - started
    for heavy in ("torch", "prefect", "pandas", "zarr"):
        assert f"'{heavy}'" not in shown
    print(f"{option} took {seconds:.2f} s")
    assert said in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--degrees", "2"], "degree must be a positive odd number"),
        (["--degrees", "one"], "degrees must be a whole number, got 'one'"),
        (["--interval", "0.5,0.1"], "interval must be two fractions"),
        (["--interval", "0.5"], "interval must be"),
        (["--rscin-windows", "0"], "rscin_windows must be positive"),
        (["--image-size", "big"], "must be a side"),
        (["--image-size", "100"], "image_size"),
        (["--backbone", "ViT-L-14-337"], "ViT-L-14-336"),
        (["--weights", "absent.pt"], "absent.pt"),
        (["--device", "abacus"], "device must name a device"),
        (["--memory", "plenty"], "memory must be a positive size"),
        (["--block-images", "12"], "block_images must be a multiple of 8"),
        (["--lot", "a/b"], "lot must be a plain name"),
        (["--layers", "99"], "layers"),
        (["--maps", "bmp"], "maps must be 'png' or 'tiff', got 'bmp'"),
    ],
)
def test_bad_option_is_refused_by_name(options: list[str], message: str, tmp_path: Path) -> None:
    write_lot(tmp_path / "cast", good_count=2, defective_count=0, size=64)
    output = tmp_path / "out"
    shown = runner.invoke(app, ["score", str(tmp_path / "cast"), "--output", str(output), *options])
    assert shown.exit_code == 2
    assert message in " ".join(shown.output.replace("│", " ").split())
    assert "Traceback" not in shown.output
    assert not output.exists()


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ([], [], "folder must hold images"),
        (["a.png"], [], "at least 2 usable images to be scored against each other, got 1 in"),
        (["a.png", "notes.txt"], [], "; besides: 1 not_an_image (names of images end in"),
        (["a.png", "b.png"], ["--memory", "1KB"], "MB are needed, 0.001 MB given"),
    ],
)
def test_lot_that_cannot_be_scored_is_refused_before_prefect_starts(
    names: list[str], options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "flows.score_lot", None)  # importing it would fail
    for number, name in enumerate(names):
        Image.new("RGB", (64, 64), (number, 0, 0)).save(tmp_path / name, format="png")
    words = ["score", str(tmp_path), "--output", str(tmp_path / "out"), "--backbone", "texture", *options]
    shown = runner.invoke(app, words)
    assert (shown.exit_code, message in shown.output) == (2, True), shown.output
    assert "besides" not in shown.output or "notes.txt" in names


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["benchmark", "mvtec", "."], "dataset must be one of mvtec_ad"),
        (["benchmark", "folder", "."], "folder"),
        (["benchmark", "folder", ""], "root must be a path or URL, got ''"),
        (["nightly", "absent"], "which does not exist"),
        (["nightly", ""], "root must be a path or URL, got ''"),
        (["nightly", ".", "--memory", "plenty"], "memory must be a positive size"),
    ],
)
def test_other_commands_refuse_before_prefect_starts(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for flow in ("flows.benchmark", "flows.score_lots"):
        monkeypatch.setitem(sys.modules, flow, None)
    shown = runner.invoke(app, [*words, "--backbone", "texture"])
    assert (shown.exit_code, message in shown.output) == (2, True), shown.output


@pytest.mark.parametrize(
    "words",
    [
        ["show", "s3://AKIA:hidden@lots/store/runs/x"],
        ["clean", "s3://AKIA:hidden@lots/store"],
        ["reproduce", "s3://AKIA:hidden@lots/store/runs/x"],
        ["reproduce", "store/runs/x", "--folder", "s3://AKIA:hidden@lots/photographs"],
        ["reproduce", "store/runs/x", "--weights", "https://host/net.pt?token=hidden"],
    ],
)
def test_secrets_are_refused_and_not_repeated(words: list[str]) -> None:
    shown = runner.invoke(app, words)
    assert (shown.exit_code, "must not hold a password" in shown.output) == (2, True), shown.output
    assert "hidden" not in shown.output


@pytest.mark.parametrize("command", ["score", "nightly", "benchmark folder"])
def test_output_that_cannot_be_written_is_refused(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lot(tmp_path / "cast", good_count=2, defective_count=2, size=64)
    (tmp_path / "closed").mkdir()
    real = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place).name != "closed" and real(place, mode))
    words = [*command.split(), str(tmp_path), "--output", str(tmp_path / "closed"), "--backbone", "texture"]
    shown = runner.invoke(app, words)
    assert (shown.exit_code, "output must be a folder that can be written" in shown.output) == (2, True), shown.output


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    shown = runner.invoke(app, ["score", str(tmp_path / "nowhere"), "--backbone", "texture"])
    assert shown.exit_code == 2
    assert "which does not exist" in shown.output


def test_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    write_lot(tmp_path / "cast", good_count=2, defective_count=0, size=64)
    (tmp_path / "out").write_text("not a folder")
    words = ["score", str(tmp_path / "cast"), "--output", str(tmp_path / "out"), "--backbone", "texture"]
    shown = runner.invoke(app, words)
    assert shown.exit_code == 2
    assert "output must be a folder" in shown.output


def test_nightly_refuses_bad_options_by_name(tmp_path: Path) -> None:
    (tmp_path / "bolt" / "2026-11-21").mkdir(parents=True)
    words = ["nightly", str(tmp_path), "--output", str(tmp_path / "out"), "--backbone", "texture"]
    shown = runner.invoke(app, [*words, "--since", "yesterday"])
    assert shown.exit_code == 2
    assert "yesterday" in shown.output
    assert not (tmp_path / "out").exists()


def test_automations_need_a_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        shown = runner.invoke(app, ["automations"])
    assert shown.exit_code == 2
    assert "PREFECT_API_URL must be set to a running server's address, got none" in shown.output


@pytest.mark.parametrize(("identical", "code"), [(True, 0), (False, FAILED)])
def test_rescore_fails_unless_the_scores_are_identical(
    identical: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []
    found = Reproduction(4, () if identical else ("a.png",), 0.0 if identical else 0.1, ())
    monkeypatch.setattr("cli.commands.reproduce.run_at", lambda path: SimpleNamespace(store=Store("out")))
    monkeypatch.setattr("cli.commands.reproduce.recorded_job", lambda *given, **more: None)
    monkeypatch.setattr("cli.commands.reproduce.reproduce_run", lambda *given: asked.append(given) or found)
    shown = runner.invoke(app, ["reproduce", "out/runs/x", "--folder", "moved", "--weights", "net.pt"])
    assert shown.exit_code == code
    assert asked == [("out/runs/x", "moved", "net.pt", "inline")]
    assert ("Not identical: 1 of 4 images" in shown.output) != identical


def test_benchmark_with_a_failed_category_shows_the_others_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.pipelines.benchmark import BenchmarkFailedError

    def fail(request: BenchmarkRequest) -> None:
        raise BenchmarkFailedError([("cap", "planted")], 2, "benchmarks/x/metrics.parquet")

    shown_tables: list[tuple[str, str]] = []
    monkeypatch.setattr("cli.process.engines.run_benchmark", fail)
    monkeypatch.setattr("cli.terminal.tables.show_benchmark", lambda *place: shown_tables.append(place))
    shown = runner.invoke(app, ["benchmark", "btad", "data", "--output", "out"])
    assert shown.exit_code == FAILED
    assert "1 of 2 categories failed" in shown.output
    assert shown_tables == [(str(Path("out").absolute()), "benchmarks/x/metrics.parquet")]


def test_plan_of_one_image_counts_references_of_earlier_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rate(comparison: LayerComparison) -> float:
        asked.append(comparison)
        return 1e6

    asked: list[LayerComparison] = []
    monkeypatch.setattr("planning.estimates.timed_trials.scoring_rate", rate)
    monkeypatch.setattr("reports.references.earlier_references", lambda job, images: (BlockRows("features/a", (0, 3)),))
    write_lot(tmp_path / "cast", good_count=1, defective_count=0, size=64)
    words = ["plan", str(tmp_path / "cast"), "--backbone", "texture", "--image-size", "64", "--match-radius", "2"]
    shown = runner.invoke(app, [*words, "--references-from", "runs/monday-1"])
    assert shown.exit_code == 0
    (comparison,) = [one for one in asked if one.layer != PRODUCTS]  # all four scales are alike
    assert (comparison.layer, comparison.match_radius) == (Layer(3, (8, 8), TOKEN_WIDTH), 2)
    assert re.search(r"references of each +│ +2 ", shown.output)
    for what in ("memory of the process", "time of extraction here", "time of scoring here"):
        assert re.search(rf"{what} +│ +\d", shown.output)
