"""What the pages hold, what they are made from, and how little is read for them."""

import errno
import html
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from storage.attempts import begin, note_attempt
from storage.results.runs import Run
from storage.results.verdict_reader import read_verdicts
from storage.store import Store
from tests.web.visiting import give
from web.app import create_app
from web.lot import Lot
from web.store_cache import Library

PROBE = (
    "import sys, web.serve, web.app; print([name for name in ('torch', 'prefect', 'sklearn') if name in sys.modules])"
)


def test_site_starts_without_torch_and_prefect() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_page_is_made_without_torch(store: Store, lot_name: str, image_ids: list[str]) -> None:
    addresses = [
        "/",
        f"/lots/{lot_name}",
        f"/lots/{lot_name}/scores.json",
        *(f"/lots/{lot_name}/images/{image_ids[0]}{rest}" for rest in ("", "/thumbnail", "/map.json", "/matches.json")),
        f"/lots/{lot_name}/images/{image_ids[0]}/crop/0",
    ]
    program = (
        "import sys\nfrom fastapi.testclient import TestClient\nfrom storage.store import Store\n"
        "from web.app import create_app\n"
        f"client = TestClient(create_app(Store({store.url!r})), base_url='http://localhost')\n"
        f"print([client.get(address).status_code for address in {addresses!r}], 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{[200] * len(addresses)} False"


def test_overview_tells_nights_verdicts_and_lots_without_a_result(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    give(client, lot_name, image_ids[0], "defective")
    give(client, lot_name, image_ids[1], "good")
    note_attempt(store, begin("cap-2026-11-23", "cap", "photos", "a lot must hold at least 2 images, got <b>0</b>"))
    page = client.get("/").text
    assert page.index("2026-11-22") < page.index("2026-11-21")
    assert "2 judged" in page
    assert "of the listed and judged ones 50 % are defective" in page
    assert "cap-2026-11-23" in page
    assert "got &lt;b&gt;0&lt;/b&gt;" in page


def test_lot_names_what_was_not_scored_and_the_settings(client: TestClient, lot_name: str) -> None:
    page = client.get(f"/lots/{lot_name}").text
    assert "empty.png" in page
    assert "the file is empty" in page
    assert "texture" in page
    assert "10 more “defective” and 10 more “good” are missing" in page


def test_command_on_a_lot_page_names_the_run_with_its_store(client: TestClient, store: Store, lot_name: str) -> None:
    shown = html.unescape(client.get(f"/lots/{lot_name}").text)
    assert f"musc verdicts export {shlex.quote(store.location(f'runs/{lot_name}'))} --format mvtec" in shown


def test_threshold_is_suggested_from_verdicts_about_lots_scored_alike(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    for image_id in image_ids[:10]:
        give(client, lot_name, image_id, "defective")
    for image_id in image_ids[10:]:
        give(client, lot_name, image_id, "good")
    other = next(name for name in Library(store).runs() if name != lot_name)
    for name in (lot_name, other):
        page = client.get(f"/lots/{name}").text
        assert "Suggested by verdicts:" in page
        assert "Fitted to 10 good and 10 defective images" in page


def test_previous_and_next_follow_the_view(client: TestClient, lot_name: str, image_ids: list[str]) -> None:
    def neighbours(image_id: str, query: str = "") -> tuple[bool, bool]:
        page = client.get(f"/lots/{lot_name}/images/{image_id}{query}").text
        return 'id="prev"' in page, 'id="next"' in page

    assert neighbours(image_ids[0]) == (False, True)
    assert neighbours(image_ids[1]) == (True, True)
    assert neighbours(image_ids[-1]) == (True, False)
    assert neighbours(image_ids[0], "?order=asc") == (True, False)
    assert neighbours(image_ids[0], "?decision=accepted") == (False, True), "not in the view: on to its first"
    following = client.get(f"/lots/{lot_name}/images/{image_ids[0]}?view=table").text
    assert f"/images/{image_ids[1]}?view=table" in following


def test_lot_page_report_and_table_have_the_order_that_the_decision_is_taken_by(
    client: TestClient, lot: Lot, lot_name: str
) -> None:
    table = lot.run.scores()
    assert table["raw_score"].is_monotonic_decreasing
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    flagged = (table["decision"] == "flagged").tolist()
    assert flagged == sorted(flagged, reverse=True), "no accepted image stands above a flagged one"
    listing = client.get(f"/lots/{lot_name}?view=table").text
    assert re.findall(r'<a href="[^"]*/images/([0-9a-f]+)\?view=table"><bdi>', listing) == table["image_id"].tolist()
    rows = re.search(r'id="all">.*?</table>', client.get(f"/lots/{lot_name}/report").text, re.DOTALL)
    assert rows is not None
    assert [int(rank) for rank in re.findall(r'data-label="rank">(\d+)</td>', rows[0])] == table["rank"].tolist()


def test_store_that_cannot_be_written_still_shows_everything(
    client: TestClient, lot_name: str, image_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Store, "write", refused)
    assert client.get(f"/lots/{lot_name}/images/{image_ids[0]}/thumbnail").status_code == 200
    answer = give(client, lot_name, image_ids[0], "good")
    assert answer.status_code == 503
    assert "Permission denied" in answer.json()["error"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_named_with_what_is_free(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> None:
        raise OSError(number, "whatever the system calls it", "/some/file")

    monkeypatch.setattr(Store, "write", full)
    answer = give(client, lot_name, image_ids[0], "good")
    assert answer.status_code == 503
    told = answer.json()["error"]
    assert "Errno" not in told
    assert re.fullmatch(
        rf"There is no room .*the disk at /.*, on which {store.url} lies, has .* free; make room .*", told
    )


def test_report_keeps_its_own_policy(client: TestClient, lot_name: str) -> None:
    answer = client.get(f"/lots/{lot_name}/report")
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.text
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"


@pytest.mark.parametrize("kind", ["csv", "coco", "labelstudio", "cvat", "yolo", "yolo-segments"])
def test_exports_are_those_of_the_command(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], kind: str
) -> None:
    from reports.verdicts.exported_verdicts import verdicts_content

    give(client, lot_name, image_ids[0], "defective", note="ünïcode")
    run = Run(store, f"runs/{lot_name}")
    expected = verdicts_content(kind, read_verdicts(store, run.path), run.scored_images())
    assert client.get(f"/lots/{lot_name}/verdicts/{kind}").content == expected
    assert expected


def test_runs_that_are_not_complete_are_not_shown(client: TestClient, store: Store, lot_name: str) -> None:
    (Path(store.url) / "runs" / lot_name / "complete.json").unlink()
    assert lot_name not in client.get("/").text
    assert client.get(f"/lots/{lot_name}").status_code == 404


def test_run_that_lost_a_file_is_told(client: TestClient, store: Store, lot_name: str) -> None:
    (Path(store.url) / "runs" / lot_name / "scores.parquet").unlink()
    answer = client.get(f"/lots/{lot_name}")
    assert answer.status_code == 503
    assert "scores.parquet" in answer.text


def test_empty_store_says_how_to_begin(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    page = TestClient(create_app(Store(str(tmp_path))), base_url="http://localhost").get("/").text
    assert "musc score FOLDER" in page


def test_site_works_over_an_object_store(
    store: Store, lot_name: str, image_ids: list[str], s3_bucket: str, tmp_path: Path
) -> None:
    remote = Store(f"{s3_bucket}/review-{tmp_path.name}")
    for name in store.sizes(""):
        remote.write(name, store.read(name))
    there = TestClient(create_app(remote), base_url="http://localhost")
    assert "2026-11-21" in there.get("/").text
    assert there.get(f"/lots/{lot_name}/images/{image_ids[0]}/thumbnail").status_code == 200
    assert give(there, lot_name, image_ids[0], "good").status_code == 201
    assert read_verdicts(remote, f"runs/{lot_name}")["verdict"].tolist() == ["good"]
    found = json.loads(there.get(f"/lots/{lot_name}/images/{image_ids[0]}/matches.json").content)
    assert found["matches"], found
