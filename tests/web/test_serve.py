"""Starting and stopping the site, and the commands around it."""

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from cli.main import app
from storage.datasets import list_categories
from storage.given_names import SIGN
from storage.results.site_address import note_site
from storage.store import Store
from tests.web.visiting import give
from web.access.guard import is_loopback
from web.app import create_app
from web.serve import SiteAddress, listening, place_of, require_site_store

ROOT = Path(__file__).resolve().parents[2]
BOX = {"shape": "box", "points": [[10, 10], [60, 10], [60, 50], [10, 50]]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_site_says_its_address_and_ends_quietly(store: Store, number: signal.Signals) -> None:
    with listening(SiteAddress("127.0.0.1", 0, None)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "cli", "web", store.url, "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert f"http://127.0.0.1:{port}/ " in said
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert b"All nights" in answer.read()
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("192.168.1.5", False), ("::", False), ("factory", False), ("localhost.evil.example", False), ("", False)],
)  # fmt: skip
def test_only_loopback_goes_without_a_token(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback
    assert (place_of(host, 8420).token is None) == loopback


def test_token_is_new_each_time_and_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = place_of("0.0.0.0", 8420), place_of("0.0.0.0", 8420)
    assert first.token != second.token
    assert first.token is not None
    assert len(first.token) >= 32
    assert first.invitation == f"{first.address}?token={first.token}"
    monkeypatch.setenv("MUSC_WEB_TOKEN", "a-token-that-outlives-restarts")
    assert place_of("0.0.0.0", 8420).token == "a-token-that-outlives-restarts"
    monkeypatch.setenv("MUSC_WEB_TOKEN", "short")
    with pytest.raises(ValueError, match="MUSC_WEB_TOKEN must have at least 16 characters, got 5"):
        place_of("0.0.0.0", 8420)


def test_places_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="port must be between 1 and 65535, got 70000"):
        place_of("127.0.0.1", 70000)
    with listening(SiteAddress("127.0.0.1", 0, None)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            OSError, match=f"must be an address of this machine that is free, got 127.0.0.1 port {port}"
        ):
            listening(SiteAddress("127.0.0.1", port, None))
    with pytest.raises(FileNotFoundError, match="store must be an existing folder"):
        require_site_store(str(tmp_path / "gone"))
    with pytest.raises(ValueError, match=r"store must be the --output of earlier runs, got .* no folder runs"):
        require_site_store(str(ROOT))


def test_site_of_an_empty_store_waits_for_its_first_night(tmp_path: Path) -> None:
    with TestClient(create_app(require_site_store(str(tmp_path))), base_url="http://localhost") as client:
        assert "no finished run in this store yet" in client.get("/").text
    note_site(Store(str(tmp_path)), "http://plant.example/")
    assert require_site_store(str(tmp_path)).url == str(tmp_path)
    (tmp_path / SIGN).touch()
    (tmp_path / "attempts").mkdir()
    assert require_site_store(str(tmp_path)).url == str(tmp_path)


def command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["verdicts", "export", *words])
    return done.exit_code, done.output


@pytest.fixture
def judged(client: TestClient, store: Store, lot_name: str, image_ids: list[str]) -> str:
    """The folder of a run with four verdicts."""
    for image_id, said, regions in (
        (image_ids[0], "defective", [BOX]),
        (image_ids[1], "defective", []),
        (image_ids[-1], "good", []),
        (image_ids[-2], "good", []),
    ):
        assert give(client, lot_name, image_id, said, regions=regions).status_code == 201
    return f"{store.url}/runs/{lot_name}"


def test_verdicts_are_exported_by_command(judged: str, tmp_path: Path) -> None:
    code, said = command(judged, "--output", str(tmp_path / "out" / "verdicts.csv"))
    assert (code, "4 verdicts in" in said) == (0, True)
    assert len(pd.read_csv(tmp_path / "out" / "verdicts.csv")) == 4
    for kind in ("coco", "labelstudio"):
        assert command(judged, "--format", kind, "--output", str(tmp_path / f"{kind}.json"))[0] == 0
        assert "defective" in (tmp_path / f"{kind}.json").read_text("utf-8")


def test_labelled_folder_is_taken_by_the_benchmark(judged: str, tmp_path: Path) -> None:
    code, said = command(judged, "--format", "mvtec", "--output", str(tmp_path / "labelled"))
    assert code == 0
    first, second = said.splitlines()
    assert first.startswith("1 of the images judged defective have no drawn place, so they get their label alone")
    assert "2 good and 2 defective images" in second
    assert [len(category.images) for category in list_categories("folder", tmp_path / "labelled")] == [4]
    small = ["--backbone", "texture", "--image-size", "64", "--output", str(tmp_path / "results")]
    done = CliRunner().invoke(app, ["benchmark", "folder", str(tmp_path / "labelled"), "--engine", "inline", *small])
    assert done.exit_code == 0, done.output
    assert "image auroc" in done.output


def test_exports_that_cannot_be_are_refused(judged: str, store: Store, tmp_path: Path) -> None:
    assert (
        "format must be one of csv, coco, labelstudio, cvat, yolo, yolo-segments, mvtec, got 'xml'"
        in command(judged, "--format", "xml")[1]
    )
    prefixed = command(judged, "--format", "coco", "--image-prefix", "/data/")
    assert "image_prefix must go with format labelstudio, got coco" in prefixed[1]
    assert "run must be a folder in runs/" in command(str(tmp_path))[1]
    other = next(path for path in sorted(Path(store.url, "runs").iterdir()) if str(path) != judged)
    code, said = command(str(other))
    assert (code, "run must have verdicts" in said) == (2, True)
