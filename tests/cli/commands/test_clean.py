"""`musc clean` says what it would free, and frees it only when told to."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.commands.clean import KINDS, summary
from cli.main import app
from cli.process.errors import BAD_INPUT
from storage.artefacts import writing
from storage.prune import MADE, Prunable
from storage.store import Store

UNUSED = f"features/{'2' * 32}"
LONG_AGO = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path / "results"))
    with writing(store, UNUSED) as staging:
        store.write(f"{staging.path}/part", bytes(2_500_000))
    return store


def test_clean_is_dry_unless_told_to_delete(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.process.signals.stop_on_signals", lambda: None)
    dry = CliRunner().invoke(app, ["clean", store.url, "--older-than", "0"])
    assert "Would free 2.5 MB in 1 item. Add --delete to do it." in dry.output
    assert "features no run uses" in dry.output
    assert store.exists(UNUSED)
    real = CliRunner().invoke(app, ["clean", store.url, "--older-than", "0", "--delete"])
    assert "Freed 2.5 MB in 1 item." in real.output
    assert not store.exists(UNUSED)


def test_clean_of_an_empty_path_is_not_the_working_directory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.process.signals.stop_on_signals", lambda: None)
    monkeypatch.chdir(store.url)
    shown = CliRunner().invoke(app, ["clean", "", "--older-than", "0", "--delete"])
    assert (shown.exit_code, store.exists(UNUSED)) == (BAD_INPUT, True)
    assert "store must be a path or URL, got ''" in shown.output


def test_summary_adds_up_each_kind_that_storage_finds() -> None:
    kinds = [*MADE, "staging", "lease"]
    assert set(KINDS) == set(kinds)
    planned = [Prunable(f"{kind}/{number}", kind, 1_500_000, LONG_AGO) for kind in kinds for number in range(2)]
    screen = Console(width=120, record=True)
    screen.print(summary(planned))
    rows = [line.split("│")[1:-1] for line in screen.export_text().splitlines() if "│" in line]
    assert sorted(row[0].strip() for row in rows) == sorted(KINDS.values())
    assert {(row[1].strip(), row[2].strip()) for row in rows} == {("2", "3.0")}


def test_clean_keeps_what_is_young(store: Store) -> None:
    done = CliRunner().invoke(app, ["clean", store.url, "--delete"])
    assert "Nothing to free: nothing older than 7 days is unused." in done.output
    assert store.exists(UNUSED)


def test_clean_refuses_a_folder_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    done = CliRunner().invoke(app, ["clean", str(tmp_path / "photographs")])
    assert done.exit_code == BAD_INPUT
    assert "store must be the --output of earlier runs" in done.output


def test_clean_refuses_a_store_that_is_not_there(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["clean", str(tmp_path / "absent")])
    assert done.exit_code == BAD_INPUT
    assert "store must be an existing folder" in done.output
