"""Nothing is imported before it is used: the libraries each command has loaded at its end."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from storage.datasets.synthetic.lot import write_lot

ROOT = Path(__file__).resolve().parents[2]
COMPUTING = {"torch", "numba", "scipy"}
MODEL_LIBRARIES = {"timm", "torchvision", "open_clip", "huggingface_hub", "sympy"}
STATISTICS = {"sklearn", "scipy.stats", "scipy.cluster", "matplotlib"}
SERVERS = {"prefect", "distributed", "fastapi", "s3fs"}
TABLES_AND_PICTURES = {"pandas", "zarr", "PIL", "jinja2", "yaml"}
END = """
import atexit, sys
atexit.register(lambda: print("loaded:", *sorted(sys.modules)))
if sys.argv[1] == "web":
    import web.serve
    web.serve.serve = lambda *arguments, **options: None
from cli.main import main
sys.argv = ["musc", *sys.argv[1:]]
main()
"""


def loaded(*command: str, code: int = 0) -> frozenset[str]:
    """Modules that a command has loaded when it ends."""
    done = subprocess.run([sys.executable, "-c", END, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("loaded:")]
    assert done.returncode == code, done.stderr
    return frozenset(line.split()[1:])


loaded_by = cache(loaded)
"""The same, of a command that several tests ask about and that changes nothing, so that it is given once."""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imports")
    write_lot(folder / "lot", good_count=5, defective_count=1)
    return folder


@pytest.fixture(scope="module")
def scoring(scratch: Path) -> tuple[str, ...]:
    options = ("--output", str(scratch / "out"), "--image-size", "64", "--engine", "inline")
    return "score", str(scratch / "lot" / "test"), *options


@pytest.fixture(scope="module")
def loaded_by_scoring(scoring: tuple[str, ...]) -> frozenset[str]:
    return loaded(*scoring)


@pytest.fixture(scope="module")
def run(scratch: Path, loaded_by_scoring: frozenset[str]) -> str:
    assert loaded_by_scoring
    (found,) = (scratch / "out" / "runs").iterdir()
    return str(found)


def test_help_loads_nothing_but_the_options() -> None:
    heavy = COMPUTING | MODEL_LIBRARIES | STATISTICS | SERVERS | {"numpy", "pandas", "zarr", "fsspec", "PIL"}
    assert loaded("score", "--help") & heavy == set()


def test_scoring_with_the_default_network_loads_no_model_library(loaded_by_scoring: frozenset[str]) -> None:
    assert "torch" in loaded_by_scoring
    assert loaded_by_scoring & (MODEL_LIBRARIES | STATISTICS | SERVERS) == set()


def test_finished_run_again_computes_with_nothing(run: str, scoring: tuple[str, ...]) -> None:
    found = loaded(*scoring)
    assert found & (COMPUTING | MODEL_LIBRARIES | STATISTICS | SERVERS) == set()
    assert found & {"pandas", "zarr"} == set()


@pytest.mark.parametrize(
    "command", [("show", "{run}"), ("clean", "{store}"), ("plan", "{folder}"), ("web", "{store}", "--port", "8437")]
)
def test_commands_that_look_load_no_torch(scratch: Path, run: str, command: tuple[str, ...]) -> None:
    places = {"run": run, "store": str(scratch / "out"), "folder": str(scratch / "lot" / "test")}
    found = loaded_by(*(word.format(**places) for word in command))
    assert found & ({"torch", "numba"} | MODEL_LIBRARIES | STATISTICS | SERVERS - {"fastapi"}) == set()


@pytest.mark.parametrize("command", [("show", "{run}"), ("clean", "{store}")])
def test_commands_that_read_records_load_neither_pandas_nor_zarr(
    scratch: Path, run: str, command: tuple[str, ...]
) -> None:
    places = {"run": run, "store": str(scratch / "out")}
    assert loaded_by(*(word.format(**places) for word in command)) & (COMPUTING | TABLES_AND_PICTURES) == set()


def test_plan_reads_photographs_without_pandas_and_zarr(scratch: Path) -> None:
    assert loaded_by("plan", str(scratch / "lot" / "test")) & {"pandas", "zarr"} == set()


def test_exporting_verdicts_loads_no_torch(scratch: Path, run: str) -> None:
    command = [sys.executable, "-c", END, "verdicts", "export", run]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "without any; give some" in done.stderr
    assert not {"torch", *MODEL_LIBRARIES, *STATISTICS, *SERVERS} & set(done.stdout.split())


def test_misspelt_network_is_refused_without_model_libraries(scratch: Path) -> None:
    typed = "score", str(scratch / "lot" / "test"), "--output", str(scratch / "out"), "--backbone"
    assert loaded(*typed, "eficientnet-lite0", code=2) & MODEL_LIBRARIES == set()
