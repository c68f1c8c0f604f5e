"""A night on the console: a line for each lot, everything else once, and never a screenful."""

from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from cli.commands import nightly
from cli.main import app
from cli.terminal import progress
from flows.pipelines.night import NightFailedError
from planning.nights.outcomes import LotOutcome, Night, Status
from planning.requests import NightRequest
from storage.datasets.synthetic.lot import write_lot
from storage.images.lot_tree import FoundLot

SMALL = ("--backbone", "texture", "--image-size", "64", "--layers", "0", "--degrees", "1")
CONSOLE_LINES = 25
"""Lines that five lots may take, as on a terminal of the usual size."""


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Console:
    """What is printed."""
    screen = Console(width=120, record=True)
    monkeypatch.setattr(progress, "console", screen)
    return screen


def test_failed_lots_are_named_with_their_reason_once(
    screen: Console, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [FoundLot(category, f"lots/{category}/[1]", "[1]", None) for category in ("bolt", "nut")]
    outcomes = (
        LotOutcome(found[0], Status.TOO_SMALL, reason="1 image"),
        LotOutcome(found[1], Status.FAILED, reason="[planted] :smile:"),
    )

    def fail(*given: object) -> None:
        raise NightFailedError(Night("lots", outcomes, ()))

    monkeypatch.setattr(nightly, "score_lots", fail)
    with pytest.raises(typer.Exit) as end:
        nightly.run(NightRequest(output="out"))
    assert end.value.exit_code == 1
    assert screen.export_text().splitlines() == [
        "bolt-[1]: too small: 1 image",
        "nut-[1]: failed: [planted] :smile:",
        "0 scored, 0 finished before, 1 too small, 1 failed",
    ]
    assert capsys.readouterr().err == (
        "error: 1 of 2 lots failed, nut-[1]; the others are finished, the next night tries again\n"
    )


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five lots of three products, one of them too small, and what is no lot."""
    root = tmp_path_factory.mktemp("night") / "lots"
    for number, name in enumerate(("cap/20261119_0930", "cap/2026-11-20", "nut/2026.11.20", "nut/order-7")):
        write_lot(root / name, good_count=10, defective_count=0, size=64, seed=number)
    for name in ("ring/2026-11-20/only.png", "loose.png", "cap/loose.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(next((root / "cap" / "2026-11-20").rglob("*.png")).read_bytes())
    return root


@pytest.fixture(scope="module")
def first_night(lots: Path) -> str:
    """What the first night prints, standard error included."""
    site = ("--good-from-verdicts", "--ignore-drawn")
    done = CliRunner().invoke(app, ["nightly", str(lots), "--output", str(lots.parent / "out"), *SMALL, *site])
    assert done.exit_code == 0, done.output
    return done.output


def test_console_of_five_lots_fits_a_screen(first_night: str) -> None:
    assert len(first_night.splitlines()) <= CONSOLE_LINES


def test_each_lot_has_one_line_with_counts_and_page(first_night: str, lots: Path) -> None:
    for name in ("cap-20261119_0930", "cap-2026-11-20", "nut-2026.11.20", "nut-order-7"):
        (line,) = [line for line in first_night.splitlines() if line.startswith(f"{name}: ")]
        assert f"{name}: 10 images: " in line
        assert " flagged, " in line
        assert Path(line.partition("; ")[2]).is_relative_to(lots.parent / "out" / "runs")
        assert Path(line.partition("; ")[2]).is_file()
    assert "\nring-2026-11-20: too small: " in first_night


def test_each_warning_is_said_once_and_in_short(first_night: str) -> None:
    caution = "  Scored with the built-in texture backbone, which is for trying out: "
    assert first_night.count(caution) == 1
    assert f"{caution}cap-20261119_0930, cap-2026-11-20, nut-2026.11.20 and 1 more\n" in first_night
    assert "hardly better than chance" not in first_night


def test_what_the_site_contributed_is_one_line(first_night: str) -> None:
    nothing = "no good reference yet, no place drawn to be ignored yet"
    assert f"\nFrom the site: cap: {nothing}; nut: {nothing}\n" in first_night


def test_files_that_are_no_lots_share_a_line(first_night: str) -> None:
    assert "\nno lot: cap/loose.png, loose.png: a file outside any lot; " in first_night.replace(
        "loose.png, cap/loose.png", "cap/loose.png, loose.png"
    )


def test_next_night_says_where_finished_lots_lie(first_night: str, lots: Path) -> None:
    done = CliRunner().invoke(app, ["nightly", str(lots), "--output", str(lots.parent / "out"), *SMALL])
    before = [line for line in done.stdout.splitlines() if ": finished before, " in line]
    assert len(before) == 4
    assert all(line.endswith("/report.html") for line in before)
    assert "0 scored, 4 finished before, 1 too small, 0 failed" in done.stdout


def test_lot_scored_by_hand_is_finished_before(lots: Path) -> None:
    store, lot = str(lots.parent / "by-hand"), str(lots / "cap" / "2026-11-20")
    assert CliRunner().invoke(app, ["score", lot, "--output", store, *SMALL]).exit_code == 0
    words = ["nightly", str(lots), "--output", store, *SMALL, "--category", "cap", "--maps", "png"]
    done = CliRunner().invoke(app, words)
    assert "cap-2026-11-20: finished before, " in done.stdout
    assert "maps made now" in done.stdout
    assert "1 scored, 1 finished before, 0 too small, 0 failed" in done.stdout
