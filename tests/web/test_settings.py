"""Settings of a product on the site: compared by verdicts, accepted, and given back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from flows.pipelines.lot import score_folder
from planning.tuning.choices import Choice
from reports.run_record import read_record
from storage.artefacts import writing
from storage.products.accepted_settings import latest_accepted
from storage.products.tunings import FILE, FOLDER, ChoiceRow, Tuning
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request
from tests.web.visiting import Visitor

FOUND = Choice("texture", 96, (0, 1), "position")
PATH = f"{FOLDER}/cap-0a1b2c3d"


def row(choice: Choice, gain: float) -> ChoiceRow:
    figures = {"auroc": 0.8, "low": 0.7, "high": 0.9, "found": 3, "false": 1, "gain": gain, "gain_error": 0.01}
    return ChoiceRow(settings=choice.options, text=choice.text, cost=1.0, **figures)


@pytest.fixture
def tuned(store: Store) -> Store:
    """A store with a tuning that found other settings for caps."""
    counts = {"defective": 5, "good": 6, "chosen": 1, "proven": False, "selected": False}
    rows = (row(Choice(), 0.0), row(FOUND, 0.1))
    tuning = Tuning(category="cap", time="2026-11-28T12:00:00+00:00", choices=rows, lots=(), **counts)
    with writing(store, PATH) as staging:
        store.write(f"{staging.path}/{FILE}", tuning.model_dump_json().encode())
    return store


def post(client: TestClient, **content: Any) -> Any:
    headers = {"Sec-Fetch-Site": "same-origin", "X-Requested-With": "musc", "Content-Type": "application/json"}
    return client.post("/settings", content=json.dumps(content), headers=headers)


def test_page_says_how_many_verdicts_are_missing(client: TestClient) -> None:
    page = client.get("/").text
    assert "In use: " in page
    assert "judge 5 more defective and 5 more good." in page


def test_settings_are_accepted_and_given_back(tuned: Store, client: TestClient) -> None:
    answer = post(client, category="cap", tuning=PATH, name="Ada")
    assert answer.status_code == 201, answer.text
    assert "accepted by Ada" in answer.json()["in_use"]
    found = latest_accepted(tuned, "cap")
    assert found is not None
    assert (found[1].settings["image_size"], found[1].good, found[1].tuning) == (96, 6, PATH)
    assert "accepted by Ada" in client.get("/").text
    assert post(client, category="cap", tuning="", name="Bob").json() == {
        "in_use": "the default settings: efficientnet-lite0"
    }
    assert latest_accepted(tuned, "cap") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"category": "nut", "tuning": "", "name": "Ada"}, "category must be a product of the store, got 'nut'"),
        ({"category": "cap", "tuning": "", "name": " "}, "name must say who changes the settings"),
        ({"category": "cap", "tuning": "runs/x", "name": "Ada"}, "tuning must be the last one of cap"),
    ],
)
def test_change_of_settings_is_refused_by_name(
    content: dict[str, str], message: str, tuned: Store, client: TestClient
) -> None:
    answer = post(client, **content)
    assert (answer.status_code, message in answer.json()["error"]) == (422, True)
    assert latest_accepted(tuned, "cap") is None


def test_comparison_is_read_on_a_phone_without_scrolling_sideways(
    tuned: Store, site: str, visit: Callable[..., Visitor]
) -> None:
    page = visit(site, viewport={"width": 390, "height": 844}).page
    page.get_by_text("Settings compared by verdicts").click()
    table = page.locator(".panel:has(> table.cards)")
    expect(table).to_be_visible()
    assert table.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    assert table.locator("td").nth(1).evaluate("one => getComputedStyle(one, '::before').content") == '"found"'
    picture = page.locator(".comparison svg").locator("visible=true")
    expect(picture).to_have_count(1)
    box = picture.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert picture.evaluate("one => one.getBoundingClientRect().width / one.viewBox.baseVal.width") > 0.95, "legible"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_next_lot_is_scored_with_settings_accepted_in_the_browser(
    tuned: Store, site: str, scored: Path, visit: Callable[..., Visitor]
) -> None:
    visitor = visit(site)
    page = visitor.page
    page.get_by_text("Settings compared by verdicts").click()
    expect(page.get_by_text("Surely better: texture, 96 pixels")).to_be_visible()
    page.get_by_role("button", name="Accept the settings found").click()
    expect(page.locator(".settings-said")).to_contain_text("Saved. In use from the next lot on: the settings of cap")
    expect(page.locator(".settings-used")).to_contain_text("accepted by Ada")

    def next_lot() -> Any:
        lot = lot_request(scored / "lots" / "cap" / "2026-11-22", tuned.url, category="cap", lot="next")
        done = score_folder(lot, InlineRunner())
        assert done.report
        return read_record(Run(tuned, done.run)).job, tuned.read(done.report).decode()

    job, report = next_lot()
    assert (job.backbone.name, job.backbone.image_size) == ("texture", (96, 96))
    assert "accepted by Ada" in job.of_product.text
    assert "accepted by Ada" in report
    page.get_by_role("button", name="Back to the default settings").click()
    expect(page.locator(".settings-used")).to_have_text("the default settings: efficientnet-lite0")
    expect(page.locator(".settings-said")).to_contain_text("the default settings: efficientnet-lite0")
    job, report = next_lot()
    assert (job.backbone.name, job.of_product) == ("efficientnet-lite0", None)
    assert visitor.problems == []
