"""What stops Prefect from being loaded is named before it is loaded."""

import pwd
import re
from pathlib import Path

import pytest

from cli.process.engines import resolve_engine
from cli.process.prefect_api import configured_api
from cli.process.prefect_files import require_readable_settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, on a machine where no API is configured."""
    monkeypatch.chdir(tmp_path)
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that is not known to the system, as in many containers."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("PREFECT_HOME")


BROKEN = {
    "Latin-1 environment": (".env", "OWNER=Müller\n".encode("latin-1")),
    "UTF-16 environment": (".env", "OWNER=Müller\n".encode("utf-16")),
    "Latin-1 TOML": ("prefect.toml", 'owner = "Müller"\n'.encode("latin-1")),
    "TOML cut short": ("pyproject.toml", b"[tool.poetry\n"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_file_that_prefect_cannot_read_is_named_where_prefect_is_used(case: str, folder: Path) -> None:
    name, content = BROKEN[case]
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(folder / name))} must be readable .*--engine inline"):
        resolve_engine("threads")


@pytest.mark.parametrize("case", BROKEN)
def test_inline_runs_read_no_such_file(case: str, folder: Path) -> None:
    name, content = BROKEN[case]
    (folder / name).write_bytes(content)
    assert resolve_engine(None) == "inline"


def test_readable_files_are_passed(folder: Path) -> None:
    (folder / ".env").write_text("OWNER=Müller\n", "utf-8")
    (folder / "pyproject.toml").write_text('[project]\nname = "Münze"\n', "utf-8")
    assert resolve_engine("threads") == "threads"


@pytest.mark.usefixtures("nobody")
def test_account_without_a_home_has_no_configured_api() -> None:
    assert configured_api() is None


@pytest.mark.usefixtures("nobody")
def test_prefect_without_a_home_is_refused_by_the_variable() -> None:
    with pytest.raises(ValueError, match=r"^HOME must name a folder .* set HOME to a folder"):
        require_readable_settings()
