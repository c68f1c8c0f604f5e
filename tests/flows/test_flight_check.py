"""The flight check as a whole: every line is made, and nothing stays in the store."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from flows.devices.names import DeviceBusyError
from flows.pipelines import flight_check as pipeline
from flows.pipelines.flight_check import flight_check
from planning.nights.check_lines import FlightCheck, Level
from planning.requests import NightRequest, request_of
from tasks.flight_check import looking, lots
from tests.flat import score_lots
from tests.flows.conftest import draw

NAMES = ["root", "newest lot", "store", "disk", "clock", "weights", "device", "server", "database", "photographs"]
SMALL = {"backbone": "texture", "image_size": 64, "layers": [0], "degrees": [1]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six photographs of yesterday."""
    for number in range(6):
        day = str(date.today() - timedelta(days=1))
        draw(tmp_path / "lots" / "bolt" / day / f"{number}.png", number, defective=number == 5)
    return tmp_path / "lots"


def check(root: Path, output: Path, **given: object) -> FlightCheck:
    return flight_check(request_of(NightRequest, {"root": str(root), "output": str(output), **SMALL, **given}), None)


def files_of(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_check_passes_and_leaves_nothing_in_a_new_store_or_a_used_one(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    found = check(root, tmp_path / "store")
    assert [line.what for line in found.lines] == NAMES
    assert [line.text for line in found.lines if line.level != Level.OK] == []
    assert "4 of 4 scored" in found.lines[-1].value
    assert "0.png, 1.png, 3.png, 5.png of bolt/" in found.lines[-1].value
    assert not (tmp_path / "store").exists()
    assert list((tmp_path / "scratch").iterdir()) == []

    score_lots(root, tmp_path / "store", **SMALL)
    before = files_of(tmp_path / "store")
    again = check(root, tmp_path / "store")
    assert again.has_passed
    assert "for 0 lots that are due" in again.lines[3].value
    assert files_of(tmp_path / "store") == before


def test_check_fails_line_by_line_and_makes_every_other(root: Path, tmp_path: Path) -> None:
    found = check(tmp_path / "absent", tmp_path / "store")
    failed = [line.what for line in found.with_level(Level.FAILS)]
    assert [line.what for line in found.lines] == NAMES
    assert failed == ["root", "newest lot", "disk", "photographs"]


def test_photographs_that_cannot_be_read_are_told(root: Path, tmp_path: Path) -> None:
    (night,) = (root / "bolt").iterdir()
    (night / "0.png").write_bytes(b"no picture")
    line = check(root, tmp_path / "store").lines[-1]
    assert line.level == Level.WARNING
    assert "3 of 4 scored" in line.value
    for photograph in night.iterdir():
        photograph.write_bytes(b"the same bytes")
    line = check(root, tmp_path / "store").lines[-1]
    assert line.level == Level.FAILS
    assert "2 different photographs" in line.value


def test_command_prints_a_table_and_exits_with_1_where_anything_fails(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--output", str(tmp_path / "store"), "--backbone", "texture", "--image-size", "64"]
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    passed = CliRunner().invoke(app, ["check", str(root), *words])
    assert passed.exit_code == 0, passed.output
    assert "all 10 checks passed" in passed.output
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    failed = CliRunner().invoke(app, ["check", str(root), *words])
    assert failed.exit_code == 1
    assert "2 of 10 checks fail: server, database" in failed.output


def test_share_that_hangs_is_a_line_of_each_check_that_reads_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(lots, "find_lots", lambda root: over.wait())
    monkeypatch.setattr(looking.look, "__defaults__", (0.5,))
    monkeypatch.setattr("flows.pipelines.flight_check.PATIENCE_SECONDS", 0.5)
    lines = {line.what: line for line in check(root, tmp_path / "store").lines}
    over.set()
    assert list(lines) == NAMES
    for what in ("root", "newest lot", "weights", "device", "photographs"):
        assert lines[what].text.startswith(f"{what} fails: no answer within 0.5 s"), lines[what].text
    assert lines["store"].level == Level.OK


def test_device_that_another_run_holds_is_a_warning_and_nothing_is_computed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def busy(request: NightRequest) -> Iterator[None]:
        raise DeviceBusyError("waits for the device musc-plant7-cuda-0, held by the run nightly")
        yield

    monkeypatch.setattr(pipeline, "score_folder", lambda *_: pytest.fail("photographs were scored"))
    request = request_of(NightRequest, {"root": str(root), "output": str(tmp_path / "store"), **SMALL})
    found = flight_check(request, None, busy)
    assert found.has_passed
    assert found.lines[-1].level == Level.WARNING
    assert "held by the run nightly" in found.lines[-1].value
