"""What a command says before it loads anything large."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.process import engines
from cli.process.prefect_api import ConfiguredApi
from cli.terminal import what_is_scored as opening
from cli.terminal.what_is_scored import announce, file_count, subject_of, where_of
from musc.settings import Settings
from planning.requests import BenchmarkRequest, LotRequest, NightRequest
from planning.resources import Resources


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "below/b.png", ".hidden/c.png", "below/.d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_files_are_counted_below_a_folder_without_hidden_ones(folder: Path) -> None:
    assert file_count(str(folder)) == 2
    assert file_count("s3://lots/night") is None


def test_first_line_names_place_backbone_and_device(folder: Path) -> None:
    lot = LotRequest(folder=str(folder))
    assert subject_of(lot) == f"{folder}, 2 files; backbone efficientnet-lite0, device auto"
    data = BenchmarkRequest(dataset="btad", root="s3://x", resources=Resources(device="cpu"))
    assert subject_of(data) == "s3://x; backbone ViT-L-14-336, device cpu"
    several = data.changed(backbone=("a", "b"))
    assert subject_of(several) == "s3://x; backbone a, b, device cpu"
    assert subject_of(NightRequest(root="s3://x", settings=Settings(backbone="c"))) == "s3://x; backbone c, device auto"


def test_engine_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    announce("a lot", where_of("inline"))
    told = capsys.readouterr().err
    assert "a lot\n" in told
    assert "runs in this process, without a server; docs/operations.md says how to watch" in told


def test_engine_says_whether_a_ui_shows_its_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    api = ConfiguredApi("http://plant:4200/api", "the variable", "unset it")
    monkeypatch.setattr(opening, "configured_api", lambda: api)
    assert where_of("dask") == "as Prefect tasks, by Dask workers; http://plant:4200/api shows them"
    monkeypatch.setattr(opening, "configured_api", lambda: None)
    assert "as Prefect tasks, by a thread of this process; no API is configured, so no UI" in where_of("threads")
    assert where_of("dask").startswith("by Dask workers, without a server")


def test_engine_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    monkeypatch.setattr(engines, "resolve_engine", lambda asked_for: asked.append(asked_for) or "threads")
    assert engines.with_engine(LotRequest(folder="x")).resources.engine == "threads"
    assert asked == [None]


def test_first_lines_load_nothing_large() -> None:
    code = (
        "import sys; from cli.terminal.what_is_scored import announce, subject_of; "
        "from planning.requests import LotRequest; announce(subject_of(LotRequest(folder='.')), 'inline'); "
        "sys.exit(', '.join({'torch', 'prefect', 'pandas', 'numpy', 'zarr'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["cli.main", "cli.terminal.tables", "cli.commands.clean"])
def test_commands_that_compute_nothing_load_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit(', '.join({{'torch', 'prefect', 'sklearn'}} & sys.modules.keys()) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", [["score", "."], ["nightly", "."], ["benchmark", "folder", "."]], ids=lambda w: w[0])
def test_commands_that_score_say_so_before_torch_is_loaded(words: list[str]) -> None:
    code = (
        "import sys; from cli.terminal import what_is_scored; "
        "what_is_scored.announce = lambda *told: sys.exit('torch' in sys.modules); "
        f"from cli.main import app; app([*{words}, '--engine', 'inline'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
