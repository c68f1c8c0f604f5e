"""Store, disk and clock: really written, and made wrong by real causes."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from planning.nights.check_lines import Level
from planning.requests import NightRequest, request_of
from storage.store import Store
from tasks.flight_check import store as store_checks
from tasks.flight_check.looking import look
from tasks.flight_check.store import check_clock, check_disk, check_store, clock_line, write_and_remove
from tests.flows.conftest import draw

TODAY = date(2026, 11, 21)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for day in ("2026-11-19", "2026-11-20"):
        for number in range(3):
            draw(tmp_path / "lots" / "bolt" / day / f"{number}.png", number, defective=False)
    return tmp_path / "lots"


def test_store_is_written_and_nothing_is_left_not_even_its_folder(root: Path, tmp_path: Path) -> None:
    line = check_store(str(root), str(tmp_path / "new" / "store"))
    assert line.level == Level.OK
    assert not (tmp_path / "new").exists()
    (tmp_path / "there").mkdir()
    check_store(str(root), str(tmp_path / "there"))
    assert list((tmp_path / "there").iterdir()) == []


@pytest.mark.parametrize("output", ["file", "file/below", "lots"])
def test_store_fails_where_nothing_can_be_written(root: Path, tmp_path: Path, output: str) -> None:
    (tmp_path / "file").write_text("")
    line = look("store", lambda: check_store(str(root), str(tmp_path / output)))
    assert line.level == Level.FAILS
    assert "output must be a folder" in line.value


@pytest.mark.slow
def test_object_store_is_written_and_a_missing_bucket_fails(root: Path, s3_bucket: str) -> None:
    place = f"{s3_bucket}/checked"
    assert look("store", lambda: check_store(str(root), place)).level == Level.OK
    assert Store(place).names("") == []
    written, _ = write_and_remove(Store(place))
    assert written is not None, "its clock is told"
    assert look("store", lambda: check_store(str(root), "s3://no-such-bucket/checked")).level == Level.FAILS


def test_disk_fails_where_the_forecast_of_tonight_is_more_than_is_free(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"root": str(root), "output": str(tmp_path / "store"), "backbone": "texture", "image_size": 64}
    request = request_of(NightRequest, given)
    line = check_disk(request, TODAY)
    assert line.level == Level.OK
    assert "2 lots that are due and 1 that may come" in line.value
    assert "2 lots that are due and 1 that" not in check_disk(request, date(2026, 11, 20)).value
    due, coming = store_checks.tonights_lots(request, TODAY)
    needed = sum(map(store_checks.lot_bytes, [*due, *coming]))
    for free, level in ((needed - 1, Level.FAILS), (needed, Level.WARNING), (2 * needed, Level.OK)):
        usage = shutil._ntuple_diskusage(10 * needed, 10 * needed - free, free)  # type: ignore[attr-defined]
        monkeypatch.setattr(shutil, "disk_usage", lambda place, usage=usage: usage)
        assert check_disk(request, TODAY).level == level


def test_clock_fails_before_the_newest_lot_and_beside_other_clocks() -> None:
    assert clock_line({"the store": 2.0}, TODAY, TODAY).level == Level.OK
    assert clock_line({"the store": -40.0}, TODAY, TODAY).level == Level.WARNING
    assert clock_line({"the store": 0.0, "the server": 400.0}, None, TODAY).level == Level.FAILS
    assert clock_line({}, date(2026, 11, 22), TODAY).level == Level.OK, "a zone east of here"
    line = clock_line({}, date(2026, 11, 23), TODAY)
    assert line.level == Level.FAILS
    assert "yet to come" in line.value


def test_clock_is_compared_with_the_store_and_a_lot_of_the_future_fails(root: Path, tmp_path: Path) -> None:
    line = check_clock(str(root), None, str(tmp_path / "store"), None, TODAY)
    assert line.level == Level.OK
    assert "the store's clock is 0 s" in line.value
    draw(root / "bolt" / "2036-01-01" / "0.png", 1, defective=False)
    assert check_clock(str(root), None, str(tmp_path / "store"), None, TODAY).level == Level.FAILS
    assert check_clock(str(tmp_path / "absent"), None, str(tmp_path / "store"), None, TODAY).level == Level.OK
