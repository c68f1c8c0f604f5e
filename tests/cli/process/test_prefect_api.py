"""The configured Prefect API: where it is found, and what is said if it does not answer."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.process import prefect_api
from cli.process.engines import resolve_engine
from cli.process.prefect_api import ConfiguredApi, configured_api, require_answer

NOBODY = "http://127.0.0.1:9/api"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Prefect home without anything in it, and no variables."""
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def server() -> Iterator[str]:
    """The address of something that answers every request with 404."""
    running = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/api"
    running.shutdown()
    thread.join()
    running.server_close()


def write_profiles(home: Path, text: str) -> None:
    (home / "profiles.toml").write_text(text)


def test_nothing_configured_runs_inline() -> None:
    assert configured_api() is None
    assert resolve_engine(None) == "inline"


def test_variable_goes_before_the_profile(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_profiles(home, f'active = "plant"\n[profiles.plant]\nPREFECT_API_URL = "{NOBODY}"\n')
    monkeypatch.setenv("PREFECT_API_URL", "http://10.0.0.5:4200/api")
    api = configured_api()
    assert api is not None
    assert (api.url, api.source) == ("http://10.0.0.5:4200/api", "the variable PREFECT_API_URL")
    assert not api.is_loopback


@pytest.mark.parametrize("chosen", ["", "other"])
def test_profile_is_the_active_one(home: Path, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_profiles(home, f'active = "plant"\n[profiles.plant]\nPREFECT_API_URL = "{NOBODY}"\n[profiles.other]\n')
    monkeypatch.setenv("PREFECT_PROFILE", chosen)
    api = configured_api()
    assert (api and api.url) == (None if chosen else NOBODY)


@pytest.mark.parametrize("text", ["", "not [toml", 'active = "gone"', 'active = "a"\nprofiles = {a = 3}'])
def test_profiles_that_say_nothing_configure_nothing(home: Path, text: str) -> None:
    write_profiles(home, text)
    assert configured_api() is None


def test_api_that_answers_is_used(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", server)
    assert resolve_engine(None) == "threads"
    assert resolve_engine("dask") == "dask"


def test_api_on_this_machine_is_never_asked_through_a_proxy(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    require_answer(ConfiguredApi(server, "a test", "stop it"))


def test_api_that_is_gone_is_named_with_its_source_and_the_ways_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefect_api, "PATIENCE_SECONDS", 0.2)
    write_profiles(home, f'active = "plant"\n[profiles.plant]\nPREFECT_API_URL = "{NOBODY}"\n')
    message = (
        rf"got no answer from {NOBODY}, which the profile 'plant' in .*profiles\.toml names .*; start that server, "
        r"or run `prefect config unset PREFECT_API_URL`, or add --engine inline"
    )
    with pytest.raises(ConnectionError, match=message):
        resolve_engine(None)
    assert resolve_engine("inline") == "inline"
