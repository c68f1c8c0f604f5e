"""`musc clean` says what it would free, and frees it only when told to."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.failures import BAD_INPUT
from cli.main import app
from storage.artefacts import writing
from storage.store import Store

UNUSED = f"features/{'2' * 32}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path / "results"))
    with writing(store, UNUSED) as draft:
        store.write(f"{draft.path}/part", bytes(2_500_000))
    return store


def test_clean_is_dry_unless_told_to_delete(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.interruption.stop_on_signals", lambda: None)
    dry = CliRunner().invoke(app, ["clean", store.url, "--older-than", "0"])
    assert "Would free 2.5 MB in 1 items. Add --delete to do it." in dry.output
    assert "features no run uses" in dry.output
    assert store.exists(UNUSED)
    real = CliRunner().invoke(app, ["clean", store.url, "--older-than", "0", "--delete"])
    assert "Freed 2.5 MB in 1 items." in real.output
    assert not store.exists(UNUSED)


def test_clean_keeps_what_is_young(store: Store) -> None:
    done = CliRunner().invoke(app, ["clean", store.url, "--delete"])
    assert "Freed 0.0 MB in 0 items." in done.output
    assert store.exists(UNUSED)


def test_clean_refuses_a_store_that_is_not_there(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["clean", str(tmp_path / "absent")])
    assert done.exit_code == BAD_INPUT
    assert "store must be an existing folder" in done.output
