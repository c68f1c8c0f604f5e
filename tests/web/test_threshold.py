"""The threshold of a product: tried on its last nights, chosen on the site, taken by the next night, given back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from flows.pipelines.lot import score_folder
from reports.run_record import read_record
from storage.errors import DamagedError
from storage.products.accepted_thresholds import latest_threshold, threshold_files
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request
from tests.web.accessible import serious
from tests.web.conftest import SETTINGS
from tests.web.visiting import OWN, Visitor, give

PHONE = {"viewport": {"width": 390, "height": 844}}


def choose(client: TestClient, lot_name: str, headers: dict[str, str] = OWN, **sent: Any) -> Any:
    content = json.dumps({"threshold": 0.09, "name": "Ada", **sent})
    return client.post(f"/lots/{lot_name}/threshold", content=content, headers=headers)


def score(store: Store, scored: Path, **more: Any) -> Any:
    """The second night again, without a threshold of its own."""
    given = {"folder": str(scored / "lots" / "cap" / "2026-11-22"), "output": store.url, "category": "cap"}
    return score_folder(lot_request(**{**given, **SETTINGS, **more}), InlineRunner())


def test_threshold_is_tried_on_the_last_nights_with_their_verdicts(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    raw = Run(store, f"runs/{lot_name}").scores().set_index("image_id")["raw_score"]
    for place, verdict in ((0, "defective"), (1, "good"), (9, "defective"), (10, "good")):
        give(client, lot_name, image_ids[place], verdict)
    sent = {"verdict": "good", "name": "Ada", "looked": False, "images": image_ids[2:5]}
    client.post(f"/lots/{lot_name}/verdicts", content=json.dumps(sent), headers=OWN)
    threshold = float(raw[image_ids[4]])
    newest, older = client.get(f"/lots/{lot_name}/nights.json?threshold={threshold!r}").json()["nights"]
    assert [newest["date"], older["date"]] == ["2026-11-22", "2026-11-21"]
    counts = {name: older[name] for name in ("images", "listed", "found", "missed", "false")}
    assert counts == {"images": 20, "listed": 5, "found": 1, "missed": 1, "false": 1}
    assert (newest["images"], newest["found"]) == (14, 0)


def test_threshold_is_chosen_on_a_telephone_taken_by_the_next_night_and_given_back(
    visit: Callable[..., Visitor], site: str, store: Store, scored: Path, lot_name: str
) -> None:
    visitor = visit(f"{site}/lots/{lot_name}", **PHONE)
    page = visitor.page
    expect(page.locator("#nights tr")).to_have_count(2)
    page.locator("#threshold").focus()
    page.keyboard.press("Home")
    expect(page.locator("#nights tr").first).to_contain_text("14")
    for _ in range(5):
        page.keyboard.press("PageUp")
    chosen = page.locator("#threshold").get_attribute("aria-valuetext")
    assert chosen is not None
    threshold = chosen.split(",")[0]
    page.locator("#choose").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chosen")).to_have_text(f"From {threshold} on, from the next night on.")
    expect(page.locator("#threshold-in-use")).to_contain_text(f"the threshold {threshold} of cap, accepted by Ada on")
    assert serious(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    done = score(store, scored)
    record = read_record(Run(store, done.run))
    assert f"{record.job.decisions.threshold:.4f}" == threshold
    assert record.job.accepted_threshold is not None
    assert record.job.accepted_threshold.path == threshold_files(store, "cap")[-1]
    told = f"the threshold {threshold} of cap, accepted by Ada on"
    assert told in done.of_product
    for content in (Store(store.url).read(f"{done.run}/report/report.html"), store.read(f"{done.run}/README.txt")):
        assert told in content.decode()
    plain = read_record(Run(store, score(store, scored, default_settings=True).run))
    assert (plain.job.decisions.threshold, plain.job.accepted_threshold) == (None, None)
    page.locator("#to-rule").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#threshold-in-use")).to_have_text("the rule’s")
    assert read_record(Run(store, score(store, scored).run)).job.decisions.threshold is None
    assert visitor.problems == []


def test_threshold_of_other_scores_is_left_out_and_named(
    client: TestClient, store: Store, scored: Path, lot_name: str
) -> None:
    assert choose(client, lot_name).status_code == 201
    done = score(store, scored, image_size=96)
    assert read_record(Run(store, done.run)).job.decisions.threshold is None
    assert [note for note in done.notes if "accepted by Ada" in note and "is left out" in note]
    own = read_record(Run(store, score(store, scored, threshold=0.2).run)).job
    assert (own.decisions.threshold, own.accepted_threshold) == (0.2, None)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"threshold": "0.1"}, 'threshold must be a raw score, or null for the rule\'s, got "0.1"'),
        ({"threshold": True}, "threshold must be a raw score, or null"),
        ({"threshold": float("nan")}, "threshold must be a raw score, got 'nan'"),
        ({"threshold": 10**400}, "threshold must be a raw score, got '1000"),
        ({"name": " "}, "name must have 1 to 80 characters"),
        ({"name": "x" * 81}, "name must have 1 to 80 characters"),
    ],
)
def test_thresholds_out_of_range_are_refused_by_name(
    client: TestClient, store: Store, lot_name: str, sent: dict[str, Any], said: str
) -> None:
    answer = choose(client, lot_name, **sent)
    assert (answer.status_code, said in answer.json()["error"]) == (422, True)
    assert latest_threshold(store, "cap") is None


@pytest.mark.parametrize("text", ["", "nan", "inf", "<script>", "1" * 500])
def test_nights_are_asked_for_with_a_raw_score(client: TestClient, lot_name: str, text: str) -> None:
    answer = client.get(f"/lots/{lot_name}/nights.json", params={"threshold": text})
    assert answer.status_code == 422
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "headers", [{}, {**OWN, "Origin": "http://evil.example"}, {**OWN, "Sec-Fetch-Site": "cross-site"}]
)
def test_pages_of_other_sites_choose_no_threshold(
    client: TestClient, store: Store, lot_name: str, headers: dict[str, str]
) -> None:
    assert choose(client, lot_name, headers).status_code == 403
    assert choose(client, "..%2f..%2fetc").status_code == 404
    assert threshold_files(store, "cap") == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"format_version": 1}', b"\xff"])
def test_damaged_threshold_is_named_and_its_page_opens(
    client: TestClient, store: Store, lot_name: str, content: bytes
) -> None:
    store.write("thresholds/cap/20200101T000000000000-00000000.json", content)
    with pytest.raises(DamagedError, match="must hold the threshold of a product"):
        latest_threshold(store, "cap")
    assert "must hold the threshold of a product" in client.get(f"/lots/{lot_name}").text
