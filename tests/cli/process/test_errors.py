"""What went wrong is one line and an exit code, which scripts and schedulers go by."""

import errno
import re
from pathlib import Path

import pytest
import typer

from cli.process.errors import BAD_INPUT, FAILED, reporting_errors
from musc.option_ranges import require_degree
from storage.errors import StorageError


@pytest.fixture(autouse=True)
def _signals_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.process.errors.stop_on_signals", lambda: None)


def raising(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorageError("planted"), BAD_INPUT),
        (MemoryError("planted"), BAD_INPUT),
        (FileNotFoundError("planted"), BAD_INPUT),
        (RuntimeError("planted"), FAILED),
        (OSError("planted"), FAILED),
    ],
    ids=repr,
)
def test_error_is_one_line_and_an_exit_code(error: Exception, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        reporting_errors(lambda: raising(error))
    assert left.value.exit_code == code
    assert capsys.readouterr().err == "error: planted\n"


def test_value_refused_by_this_project_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        reporting_errors(lambda: require_degree(2))
    assert left.value.exit_code == BAD_INPUT
    assert capsys.readouterr().err.startswith("error: degree must be a positive odd number")


def test_value_refused_by_a_library_keeps_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        reporting_errors(lambda: float("planted"))
    assert left.value.exit_code == FAILED


@pytest.mark.parametrize("verbose", [False, True])
def test_error_of_a_library_is_named_and_traced_only_if_asked_for(
    verbose: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as left:
        reporting_errors(lambda: raising(ImportError("install gcsfs")), verbose=verbose)
    assert left.value.exit_code == FAILED
    said = capsys.readouterr().err
    assert said.endswith("error: ImportError: install gcsfs\n")
    assert ("Traceback" in said) == verbose


def test_names_in_errors_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        reporting_errors(lambda: raising(RuntimeError("\x1b]0;title\x07 is no image\nsecond line")))
    assert capsys.readouterr().err == "error: \\x1b]0;title\\x07 is no image\nsecond line\n"


def test_full_disk_is_named_with_what_is_free(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "lots" / "images.parquet"))
    with pytest.raises(typer.Exit) as left:
        reporting_errors(lambda: raising(error))
    assert left.value.exit_code == FAILED
    said = capsys.readouterr().err
    assert re.search(
        r"No space left .*; the disk at /\S*, on which \S+ lies, has [\d,.]+ [MG]B of [\d,.]+ [MG]B free\n", said
    )


def test_exit_of_a_command_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        reporting_errors(lambda: raising(typer.Exit(7)))
    assert left.value.exit_code == 7
    assert capsys.readouterr().err == ""
