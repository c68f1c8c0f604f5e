"""Root and newest lot, made wrong by what happens in a factory."""

from datetime import date
from pathlib import Path

import pytest

from planning.nights.check_lines import CheckLine, Level
from storage.errors import NoImagesError
from tasks.flight_check.looking import look
from tasks.flight_check.lots import age_line, check_newest_lot, check_root, newest_lot
from tests.flows.conftest import draw


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One photograph in each of two lots."""
    for day in ("2026-11-20", "2026-11-21"):
        draw(tmp_path / "lots" / "bolt" / day / "0.png", 1, defective=False)
    return tmp_path / "lots"


def checked(root: Path, output: Path, category: str | None = None) -> CheckLine:
    return look("root", lambda: check_root(str(root), str(output), category))


def test_root_reads_a_photograph_of_the_newest_lot(root: Path, tmp_path: Path) -> None:
    line = checked(root, tmp_path / "store")
    assert line.level == Level.OK
    assert "2 lots; bolt/2026-11-21/0.png read" in line.value


@pytest.mark.parametrize("cause", ["missing", "a file", "a category that is not there", "empty folders"])
def test_root_fails_where_it_is_no_root(root: Path, tmp_path: Path, cause: str) -> None:
    category = None
    if cause == "missing":
        root = tmp_path / "absent"
    elif cause == "a file":
        root = tmp_path / "file"
        root.write_text("")
    elif cause == "a category that is not there":
        category = "nut"
    else:
        for photograph in root.rglob("*.png"):
            photograph.unlink()
    assert checked(root, tmp_path / "store", category).level == Level.FAILS


def test_empty_root_fails_where_the_store_has_runs_as_its_share_is_not_mounted(tmp_path: Path) -> None:
    (tmp_path / "lots").mkdir()
    assert checked(tmp_path / "lots", tmp_path / "store").level == Level.WARNING
    (tmp_path / "store" / "runs" / "bolt-2026-11-20-abc").mkdir(parents=True)
    line = checked(tmp_path / "lots", tmp_path / "store")
    assert line.level == Level.FAILS
    assert "mounted" in line.advice


@pytest.mark.parametrize(
    ("today", "level"), [(22, Level.OK), (24, Level.OK), (25, Level.WARNING), (27, Level.WARNING), (28, Level.FAILS)]
)
def test_newest_lot_may_be_as_old_as_the_longest_gap_and_fails_beyond_twice(today: int, level: Level) -> None:
    nights = [date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 21)]
    assert age_line("bolt/2026-11-21", nights, date(2026, 11, today)).level == level


def test_first_night_has_no_usual_distance_and_is_never_late() -> None:
    line = age_line("bolt/2026-11-21", [date(2026, 11, 21)], date(2027, 11, 21))
    assert (line.level, "days old: 365; it is the first night" in line.value) == (Level.OK, True)


def test_newest_lot_is_the_latest_by_date(root: Path) -> None:
    draw(root / "nut" / "order-9" / "0.png", 1, defective=False)
    assert newest_lot(str(root), None).name == "2026-11-21"
    assert newest_lot(str(root), "nut").name == "order-9"
    with pytest.raises(NoImagesError, match="root must hold a lot"):
        newest_lot(str(root), "cap")
    assert check_newest_lot(str(root), "nut", date(2026, 11, 22)).level == Level.OK
    assert "days old: 1" in check_newest_lot(str(root), None, date(2026, 11, 22)).value
