"""What strangers may try: each is refused or shown as text, and nothing that was stored is lost."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from storage.results.verdict_reader import read_verdicts
from storage.results.verdicts import MAX_NOTE
from storage.store import Store
from tests.web.visiting import MARKUP, OWN, QUOTES, give
from web.app import create_app
from web.judging.form import MAX_BODY

TOKEN = "a-token-of-many-characters"
WAYS = (
    "../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "..%5c..%5cetc",
    "%00",
    ".",
    "..",
    "runs",
    "{lot}%2f..%2f{lot}",
    "{lot}/../../../etc/passwd",
)
"""Out of the folder that an address is about."""


def files_of(store: Store) -> dict[str, int]:
    return store.sizes("")


@pytest.fixture
def guarded(store: Store) -> TestClient:
    """The site as it is served to other machines, behind a token."""
    return TestClient(create_app(store, TOKEN), base_url="http://factory:8420", follow_redirects=False)


@pytest.mark.parametrize(
    "address",
    [
        "/lots/{way}",
        "/lots/{way}/report",
        "/lots/{way}/kinds",
        "/lots/{way}/verdicts/csv",
        "/lots/{lot}/images/{way}",
        "/lots/{lot}/images/{way}/photograph",
        "/lots/{lot}/images/{way}/thumbnail",
        "/lots/{lot}/images/{way}/similar.json",
        "/lots/{lot}/images/{way}/crop/0",
        "/lots/{lot}/verdicts/{way}",
        "/static/{way}",
        "/static/../app.py",
    ],
)
def test_paths_lead_nowhere_else(client: TestClient, store: Store, lot_name: str, scored: Path, address: str) -> None:
    before = files_of(store)
    for way in WAYS:
        asked = address.replace("{way}", way).replace("{lot}", quote(lot_name))
        answer = client.get(asked, follow_redirects=False)
        own_page = (
            answer.status_code == 200 and "MuSc review" in answer.text
        )  # an address that is another page's, shortened
        assert answer.status_code in (404, 405, 422) or own_page, way
        assert "root:" not in answer.text, way
        assert "def create_app" not in answer.text, way
        assert files_of(store) == before, way


def test_photographs_are_found_by_the_listing_and_never_by_a_path(
    client: TestClient, lot_name: str, scored: Path
) -> None:
    (scored / "lots" / "secret.png").write_bytes(b"secret")
    for name in ("secret.png", "00.png", "..%2fsecret.png", quote(str(scored / "lots" / "secret.png"), safe="")):
        assert client.get(f"/lots/{lot_name}/images/{name}/photograph").status_code == 404


def test_hostile_names_are_text_on_every_page(client: TestClient, lot_name: str) -> None:
    listing = client.get(f"/lots/{lot_name}?view=table").text
    assert MARKUP not in listing
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in listing
    assert "{{ 7*7 }}" in listing
    assert "Content-Security-Policy" in client.get("/").headers


def test_hostile_names_in_queries_are_text(client: TestClient, lot_name: str) -> None:
    hostile = '"><script>alert(1)</script>'
    page = client.get(f"/lots/{lot_name}", params=dict.fromkeys(("name", "sort", "low", "page", "view"), hostile)).text
    assert "<script>alert" not in page
    assert client.get(f"/lots/{quote(hostile, safe='')}").status_code == 404
    assert "<script>alert" not in client.get(f"/lots/{quote(hostile, safe='')}").text


def test_hostile_notes_are_text_and_run_in_no_spreadsheet(
    client: TestClient, lot_name: str, image_ids: list[str]
) -> None:
    note = '=HYPERLINK("http://evil") </script><script>alert(1)</script>'
    assert give(client, lot_name, image_ids[0], "good", note=note, name="+Eve").status_code == 201
    page = client.get(f"/lots/{lot_name}/images/{image_ids[0]}").text
    assert "<script>alert" not in page
    assert "\\u003c/script\\u003e" in page
    table = client.get(f"/lots/{lot_name}/verdicts/csv").text
    assert "'=HYPERLINK" in table
    assert "'+Eve" in table


def test_names_that_a_spreadsheet_would_run_are_exported_as_text(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    from storage.results.runs import Run

    scores = Run(store, f"runs/{lot_name}").scores().set_index("path")
    give(client, lot_name, str(scores.loc[QUOTES, "image_id"]), "good")
    assert ",\"'=1+1" in client.get(f"/lots/{lot_name}/verdicts/csv").text


FOREIGN: tuple[dict[str, str], ...] = (
    {},
    {"Sec-Fetch-Site": "cross-site", **OWN},
    {"Sec-Fetch-Site": "same-site", **OWN},
    {"Origin": "http://evil.example", **OWN},
    {"Origin": "null", **OWN},
    {"Origin": "http://localhost.evil.example", **OWN},
    {"Origin": "http://localhost:1", **OWN},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "text/plain", "X-Requested-With": "XMLHttpRequest"},
)
"""Headers of what another site sends."""


def test_changes_from_other_sites_are_refused(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    give(client, lot_name, image_ids[0], "defective")
    body = json.dumps({"verdict": "good", "name": "Eve"})
    for headers in FOREIGN:
        answer = client.post(f"/lots/{lot_name}/images/{image_ids[0]}/verdicts", content=body, headers=headers)
        assert answer.status_code == 403, headers
        assert read_verdicts(store, f"runs/{lot_name}")["verdict"].tolist() == ["defective"], headers


def test_changes_from_the_own_page_are_taken(client: TestClient, lot_name: str, image_ids: list[str]) -> None:
    own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost", **OWN}
    sent = {"verdict": "good", "name": "Ada"}
    address = f"/lots/{lot_name}/images/{image_ids[0]}/verdicts"
    assert client.post(address, json=sent, headers=own).status_code == 201


def test_no_other_way_changes_anything(client: TestClient, store: Store, lot_name: str) -> None:
    before = files_of(store)
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert client.request(method, f"/lots/{lot_name}", headers=OWN).status_code in (403, 405), method
        assert files_of(store) == before, method
    assert "access-control-allow-origin" not in client.get("/", headers={"Origin": "http://evil.example"}).headers


def test_foreign_host_names_are_refused_on_loopback(client: TestClient) -> None:
    for host in ("evil.example", "evil.example:8420", "127.0.0.1.evil.example", "", "["):
        assert client.get("/", headers={"Host": host}).status_code == 403, host


def test_own_host_names_are_answered(client: TestClient) -> None:
    for host in ("localhost", "localhost:8420", "127.0.0.1:1", "[::1]:8420"):
        assert client.get("/", headers={"Host": host}).status_code == 200, host


@pytest.mark.parametrize(
    "address", ["/", "/static/site.css", "/lots/x", "/lots/{lot}/verdicts/csv", "/lots/{lot}/images/{image}/photograph"]
)
def test_nothing_is_shown_without_the_token(
    guarded: TestClient, lot_name: str, image_ids: list[str], address: str
) -> None:
    for token in ("", "?token=", "?token=wrong", f"?token={TOKEN[:-1]}", "?token=ü"):
        answer = guarded.get(address.format(lot=lot_name, image=image_ids[0]) + token)
        assert answer.status_code == 403, token
        assert "set-cookie" not in answer.headers, token


def test_no_verdict_is_taken_without_the_token(
    guarded: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    assert give(guarded, lot_name, image_ids[0], "good").status_code == 403
    assert read_verdicts(store, f"runs/{lot_name}").empty


def test_token_in_the_address_becomes_a_cookie(guarded: TestClient, lot_name: str, image_ids: list[str]) -> None:
    answer = guarded.get(f"/lots/{lot_name}?token={TOKEN}&view=table")
    assert (answer.status_code, answer.headers["location"]) == (303, f"../lots/{lot_name}?view=table")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert guarded.get(f"/lots/{lot_name}?view=table").status_code == 200
    assert give(guarded, lot_name, image_ids[0], "good").status_code == 201


def test_token_may_come_as_a_header(guarded: TestClient) -> None:
    assert guarded.get("/", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


BOX = {"shape": "box", "points": [[1, 1], [9, 1], [9, 9], [1, 9]]}


REFUSED: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"note": "x" * (MAX_NOTE + 1)}, 422, f"note must have at most {MAX_NOTE} characters, got {MAX_NOTE + 1}"),
    ({"note": "x" * MAX_BODY}, 413, "a request must have at most"),
    ({"name": "x" * 81}, 422, "name must have 1 to 80 characters, got 81"),
    ({"name": "  "}, 422, "name must have 1 to 80 characters, got 0"),
    ({"name": 7}, 422, "name must be text, got int"),
    ({"note": "\ud800"}, 422, "note must be text"),
    ({"verdict": "perfect"}, 422, "verdict must be one of defective, good, unsure, withdrawn, got 'perfect'"),
    ({"regions": [BOX] * 51}, 422, "at most 50 regions, got 51"),
    ({"regions": [{**BOX, "points": [[1, 1]] * 501, "shape": "outline"}]}, 422, "3 to 500 points, got 501"),
    ({"regions": [{**BOX, "points": [[1, 1]] * 2}]}, 422, "a box must have 4 corners, got 2"),
    ({"regions": [{**BOX, "shape": "star"}]}, 422, "must be box or outline, got 'star'"),
    ({"regions": [{**BOX, "points": [[500, 500], [600, 500], [600, 600], [500, 600]]}]}, 422, "128 × 128 pixels"),
    ({"regions": [{**BOX, "points": [["x", 1]] * 4}]}, 422, "could not convert|must lie|must be shapes"),
    ({"regions": [7]}, 422, "regions must be shapes with points"),
    ({"regions": "all"}, 422, "must be a JSON object"),
)
"""What a verdict is sent with, the answer's status, and what its error says."""


def test_verdicts_out_of_range_are_refused_by_name(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    give(client, lot_name, image_ids[0], "defective", note="kept")
    for change, status, said in REFUSED:
        answer = give(client, lot_name, image_ids[0], **{"verdict": "good", **change})
        assert answer.status_code == status, said
        assert re.search(said, answer.json()["error"]), answer.json()["error"]
        assert read_verdicts(store, f"runs/{lot_name}")["note"].tolist() == ["kept"], said


def test_bodies_that_are_no_verdict_are_refused(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    for body in (b"", b"{", b"[]", b"7", b'{"regions": NaN}', b"\xff"):
        answer = client.post(f"/lots/{lot_name}/images/{image_ids[0]}/verdicts", content=body, headers=OWN)
        assert answer.status_code == 422, body
        assert read_verdicts(store, f"runs/{lot_name}").empty, body


def test_not_a_number_is_no_place(client: TestClient, lot_name: str, image_ids: list[str]) -> None:
    body = '{"verdict": "good", "name": "Ada", "regions": [{"shape": "box", "points": [[NaN,1],[9,1],[9,9],[1,9]]}]}'
    answer = client.post(f"/lots/{lot_name}/images/{image_ids[0]}/verdicts", content=body, headers=OWN)
    assert answer.status_code == 422


def test_run_names_are_plain_in_the_download(client: TestClient, lot_name: str) -> None:
    disposition = client.get(f"/lots/{lot_name}/verdicts/coco").headers["content-disposition"]
    assert disposition == f"attachment; filename*=UTF-8''{quote(lot_name)}-verdicts-coco.json"
