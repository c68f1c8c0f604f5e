"""What a command says before it loads anything large."""

import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest

from cli.terminal import opening
from cli.terminal.opening import announce, file_count, subjects


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
    assert subjects({"folder": str(folder)}) == [f"{folder}, 2 files; backbone efficientnet-lite0, device auto"]
    given = {"dataset": "btad", "root": "s3://x", "device": "cpu"}
    assert subjects(given) == ["s3://x; backbone ViT-L-14-336, device cpu"]
    assert subjects({"root": "s3://x", "backbones": ("a", "b")}) == ["s3://x; backbone a, b, device auto"]


def test_engine_is_chosen_noted_and_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(opening, "chosen_engine", lambda asked: asked or "inline")
    given = {"folder": str(folder)}
    announce(given)
    assert given["engine"] == "inline"
    assert "runs in this process, without a server; docs/operations.md says how to watch" in capsys.readouterr().err
    announce({"engine": "dask"})
    assert "as Prefect tasks, by Dask workers" in capsys.readouterr().err


def test_backbones_named_are_the_defaults() -> None:
    from musc.settings import Settings
    from tasks.planning.benchmark import benchmark_jobs

    assert Settings().backbone == opening.USUAL_BACKBONE
    assert signature(benchmark_jobs).parameters["backbones"].default == (opening.BENCHMARK_BACKBONE,)


def test_first_lines_load_nothing_large() -> None:
    code = (
        "import sys; from cli.terminal.opening import announce; announce({'folder': '.', 'engine': 'inline'}); "
        "sys.exit(', '.join({'torch', 'prefect', 'pandas', 'numpy', 'zarr'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["cli.main", "cli.terminal.tables", "cli.commands.clean"])
def test_commands_that_compute_nothing_load_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit(', '.join({{'torch', 'prefect', 'sklearn'}} & sys.modules.keys()) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
