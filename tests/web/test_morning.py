"""A morning's work: what is to look at and not judged comes first, image after image, also for two people at once."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from storage.results.runs import Run
from storage.results.verdict_reader import read_verdicts
from storage.store import Store
from tests.web.visiting import OWN, Visitor, give
from web.judging.claims import CLAIM_SECONDS, MAX_READERS, Claims

Visit = Callable[..., Visitor]
PHONE = {"viewport": {"width": 390, "height": 844}}
WORK = "decision=listed&verdict=none"


@pytest.fixture
def listed(store: Store, lot_name: str) -> list[str]:
    """Images to look at, the most anomalous first."""
    scores = Run(store, f"runs/{lot_name}").scores().sort_values("raw_score", ascending=False)
    return [str(one) for one in scores.loc[scores["decision"] != "accepted", "image_id"]]


def image_of(page: Page) -> str:
    return page.url.split("/images/")[1].split("?")[0]


def go_on(page: Page, key: str) -> str:
    """Judge the image that is shown; returns which it was."""
    image, address = image_of(page), page.url
    page.keyboard.press(key)
    page.wait_for_url(lambda url: url != address)
    expect(page.locator("#zoom-level")).to_contain_text("%")
    return image


def test_lot_opens_on_its_work_which_goes_from_image_to_image_by_keys(
    visit: Visit, site: str, store: Store, lot_name: str, listed: list[str]
) -> None:
    visitor = visit(f"{site}/lots/{lot_name}", **PHONE)
    page, count = visitor.page, len(listed)
    expect(page.locator(".tile")).to_have_count(count)
    expect(page.locator("#work")).to_contain_text(f"0 of {count} to look at done")
    page.locator("#go-on").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/images/*")
    seen = [go_on(page, "d") for _ in range(2)]
    assert seen == listed[:2]
    expect(page.locator("#done")).to_have_text(f"2 of {count} done")
    expect(page.locator("#said")).to_contain_text("defective. Ctrl-Z undoes.")
    page.keyboard.press("Control+z")
    expect(page.locator("#said")).to_contain_text("Undid: ")
    expect(page.locator("#done")).to_have_text(f"1 of {count} done")
    seen = [go_on(page, "g") for _ in range(count - 2)]
    assert seen == listed[2:]
    assert image_of(page) == listed[1], "what was undone comes again at the end"
    page.keyboard.press("u")
    expect(page.locator("#said")).to_have_text("Stored: unsure.")
    page.get_by_role("navigation", name="Where you are").get_by_role("link", name="cap-2026-11-21").click()
    page.goto(f"{site}/lots/{lot_name}")
    expect(page.locator("#work")).to_contain_text(f"{count} of {count} to look at done")
    expect(page.locator(".tile")).to_have_count(20)
    assert read_verdicts(store, f"runs/{lot_name}")["image_id"].tolist() == [*listed, listed[1]]
    assert visitor.problems == []


def test_next_image_is_loaded_before_it_is_asked_for(visit: Visit, site: str, lot_name: str, listed: list[str]) -> None:
    visitor = visit(f"{site}/lots/{lot_name}/images/{listed[0]}?{WORK}")
    page = visitor.page
    page.wait_for_load_state("networkidle")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/images/{listed[1]}?*")
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').map(one => [one.name.split('/').pop(), one.name, one.transferSize])"
    )
    own = {name: size for name, address, size in sizes if f"/images/{listed[1]}/" in address}
    assert own["photograph"] == own["map.json"] == 0, "both come from the browser's own memory"
    shown = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    print(f"the next page stands after {page.evaluate(shown):.0f} ms")
    assert visitor.problems == []


def test_two_people_share_a_lot_without_meeting_the_same_image(
    visit: Visit, site: str, store: Store, lot_name: str, listed: list[str]
) -> None:
    people = [visit(f"{site}/lots/{lot_name}") for _ in range(2)]
    seen: list[str] = []
    for visitor, name in zip(people, ("Ada", "Ben"), strict=True):
        visitor.page.get_by_label("Your name").fill(name)
        visitor.page.locator("#go-on").click()
        visitor.page.wait_for_url("**/images/*")
        visitor.page.wait_for_load_state("networkidle")
    while len(seen) < len(listed) - 1:
        for visitor in people:
            if len(seen) < len(listed) - 1:
                seen.append(go_on(visitor.page, "g"))
                visitor.page.wait_for_load_state("networkidle")
    assert len(set(seen)) == len(seen)
    late = visit(f"{site}/lots/{lot_name}/images/{image_of(people[0].page)}?{WORK}")
    expect(late.page.locator("#shared")).to_contain_text("has had this image open for")
    assert [visitor.problems for visitor in (*people, late)] == [[], [], []]


def test_images_about_which_two_people_differ_are_listed(
    client: TestClient, lot_name: str, image_ids: list[str]
) -> None:
    for name, verdict in (("Ada", "good"), ("Ben", "defective"), ("Ben", "good"), ("Eve", "unsure")):
        give(client, lot_name, image_ids[3], verdict, name=name)
    for name, verdict in (("Ada", "good"), ("Ben", "defective"), ("Ben", "withdrawn"), ("Ada", "unsure")):
        give(client, lot_name, image_ids[4], verdict, name=name)
    page = client.get(f"/lots/{lot_name}?verdict=differs").text
    assert "<bdi>Ada</bdi>: <bdi>good</bdi>, <bdi>Ben</bdi>: <bdi>good</bdi>, <bdi>Eve</bdi>: <bdi>unsure</bdi>" in page
    assert page.count("data-image=") == 1
    assert client.get(f"/lots/{lot_name}/selection.json?verdict=differs").json()["images"] == [image_ids[3]]


def claim(client: TestClient, lot_name: str, headers: dict[str, str] = OWN, **more: Any) -> Any:
    sent = {"reader": "0123456789abcdef", "name": "Ada", "view": WORK, "image": "", **more}
    return client.post(f"/lots/{lot_name}/claims", content=json.dumps(sent), headers=headers)


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"reader": "../x"}, 422, "reader must have 16 hexadecimal digits"),
        ({"name": "x" * 81}, 422, "name must have at most 80 characters"),
        ({"view": "x" * 2001}, 422, "name must have at most 80 characters, and view 2000"),
        ({"image": "../../etc/passwd"}, 422, "image must be a scored image of the lot"),
        ({"name": 7}, 422, "name must be text, got int"),
        ({"name": "x" * 600_000}, 413, "a request must have at most"),
        ({"headers": {}}, 403, ""),
        ({"headers": {**OWN, "Sec-Fetch-Site": "cross-site"}}, 403, ""),
    ],
)
def test_claims_out_of_range_are_refused(
    client: TestClient, lot_name: str, change: dict[str, Any], status: int, said: str
) -> None:
    answer = claim(client, lot_name, **change)
    assert (answer.status_code, said in answer.text) == (status, True)


def test_claim_names_next_image_and_who_else_has_it(client: TestClient, lot_name: str, listed: list[str]) -> None:
    first = claim(client, lot_name).json()
    assert (first["image"], first["next"], first["others"]) == (listed[0], listed[1], [])
    second = claim(client, lot_name, reader="f" * 16, name="<b>").json()
    assert (second["image"], second["next"]) == (listed[2], listed[3])
    assert claim(client, lot_name, reader="e" * 16, image=listed[2]).json()["others"] == [{"name": "<b>", "seconds": 0}]


def test_claim_runs_out_and_claims_are_bounded() -> None:
    now = [0.0]
    claims = Claims(lambda: now[0])
    taken: list[set[str]] = []

    def choose(others: set[str]) -> tuple[str, ...]:
        taken.append(others)
        return ("a", "b")

    claims.hold("runs/x", "one", "Ada", choose)
    assert claims.hold("runs/y", "two", "Ben", choose) == (("a", "b"), [])
    now[0] = CLAIM_SECONDS - 1
    assert [claim.name for claim in claims.hold("runs/x", "two", "Ben", choose)[1]] == ["Ada"]
    now[0] = CLAIM_SECONDS + 1
    claims.hold("runs/x", "three", "Eve", choose)
    assert taken == [set(), set(), {"a", "b"}, {"a", "b"}]
    now[0] = 3 * CLAIM_SECONDS
    claims.hold("runs/x", "four", "Eve", choose)
    assert taken[-1] == set()
    for number in range(2 * MAX_READERS):
        claims.hold("runs/x", str(number), "", choose)
    assert len(claims._claims) == MAX_READERS
