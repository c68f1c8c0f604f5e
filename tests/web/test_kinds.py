"""Kinds of defects: a product's list, keys that judge by it, and what nobody can slip in through it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from storage.products.defect_kinds import DefectKind, DefectKinds, add_kinds, latest_kinds
from storage.results.verdict_reader import read_verdicts
from storage.results.verdicts import current_verdicts
from storage.store import Store
from tests.web.accessible import serious
from tests.web.visiting import OWN, Visitor, give
from web.judging.form import MAX_BODY

Visit = Callable[..., Visitor]
PHONE = {"viewport": {"width": 390, "height": 844}}
NAMES = ["scratch", "<img src=x onerror=alert(1)>", "{{ 7*7 }} %(x)s"]


def save(client: TestClient, lot_name: str, headers: dict[str, str] = OWN, **sent: Any) -> Any:
    content = json.dumps(
        {"name": "Ada", "saved": "", "kinds": [{"name": "dent", "key": "1", "colour": "#d55e00"}], **sent}
    )
    return client.post(f"/lots/{lot_name}/kinds", content=content, headers=headers)


@pytest.fixture
def kinds(store: Store) -> DefectKinds:
    """Three kinds of caps; names and a description that no page may run."""
    listed = tuple(DefectKind(name, str(key), "#0072b2", NAMES[1]) for key, name in enumerate(NAMES, start=1))
    saved = DefectKinds("cap", listed, "Ada")
    add_kinds(store, saved)
    return saved


def test_list_is_made_and_images_are_judged_by_it_with_the_keyboard_alone(
    visit: Visit, site: str, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    """On a telephone's width: the list, an image by its key with a severity, many by one key, and undone."""
    visitor = visit(f"{site}/lots/{lot_name}/kinds", **PHONE)
    page = visitor.page
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("scratch")
    page.get_by_role("button", name="Add a kind").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("dent")
    assert serious(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("Saved.")
    assert [(kind.name, kind.key) for kind in latest_kinds(store, "cap")] == [("scratch", "1"), ("dent", "2")]
    page.goto(f"{site}/lots/{lot_name}/images/{image_ids[0]}?view=grid")
    page.keyboard.press("m")
    expect(page.locator("#said")).to_contain_text("Severity: minor")
    page.keyboard.press("m")
    page.keyboard.press("2")
    expect(page.locator("#said")).to_have_text("Stored: defective, dent, major.")
    expect(page.get_by_role("button", name="dent 2")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#history .badge")).to_have_text("defective, dent, major")
    page.keyboard.press("3")
    page.keyboard.press("g")
    expect(page.locator("#said")).to_have_text("Stored: good.")
    assert serious(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{site}/lots/{lot_name}?view=grid")
    page.locator(".tile a").nth(1).focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("l")
    page.keyboard.press("1")
    expect(page.locator("#said")).to_have_text("2 images judged defective, scratch. Ctrl-Z undoes.")
    expect(page.locator(".tile .badge.defective")).to_have_text(["defective, scratch"] * 2)
    assert serious(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Control+z")
    expect(page.locator(".tile .badge.defective")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(page.locator("#said")).to_contain_text("judged good")
    current = current_verdicts(read_verdicts(store, f"runs/{lot_name}"))
    assert current[["image_id", "verdict", "kind", "severity"]].to_numpy().tolist() == [
        [image_ids[0], "defective", "dent", "major"]
    ]
    assert visitor.problems == []


def test_key_of_a_kind_leads_through_a_mornings_work(
    visit: Visit, site: str, store: Store, kinds: DefectKinds, lot_name: str, image_ids: list[str]
) -> None:
    visitor = visit(f"{site}/lots/{lot_name}/images/{image_ids[0]}?decision=listed&verdict=none")
    page = visitor.page
    expect(page.locator("#done")).to_contain_text("0 of ")
    for key, image_id, following in (("1", *image_ids[:2]), ("3", *image_ids[1:3])):
        expect(page.locator("#look")).to_have_attribute("data-image", image_id)
        expect(page.locator("#zoom-level")).to_contain_text("%")  # and so hears keys
        page.keyboard.press(key)
        expect(page.locator("#look")).to_have_attribute("data-image", following)
    expect(page.locator("#said")).to_contain_text(f"defective, {NAMES[2]}. Ctrl-Z undoes.")
    assert read_verdicts(store, f"runs/{lot_name}")["kind"].tolist() == [NAMES[0], NAMES[2]]
    assert visitor.problems == []


def test_names_and_descriptions_of_kinds_are_shown_as_text(
    visit: Visit, site: str, kinds: DefectKinds, lot_name: str, image_ids: list[str]
) -> None:
    visitor = visit(f"{site}/lots/{lot_name}/images/{image_ids[0]}?view=grid")
    page = visitor.page
    for key, name in enumerate(NAMES, start=1):
        page.keyboard.press(str(key))
        expect(page.locator("#said")).to_have_text(f"Stored: defective, {name}.")
    expect(page.locator("[data-kind] bdi")).to_have_text(NAMES)
    said = {
        "kinds": None,
        "pull": ".badge.defective bdi",
        "?view=grid": ".badge.defective bdi",
        "?view=table": "td:nth-child(8) bdi",
    }
    for address, place in said.items():
        page.goto(f"{site}/lots/{lot_name}/{address}".replace("/?", "?"))
        if place:
            expect(page.locator(place)).to_have_text([NAMES[2]])
    assert visitor.problems == []


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"kind": "scrach"}, "kind must be one of scratch, "),
        ({"kind": "x" * 100_000}, "kind must be one of scratch, "),
        ({"kind": 7}, "kind must be text, got int"),
        ({"severity": "huge"}, "severity must be one of minor, major, critical, or empty, got 'huge'"),
        ({"verdict": "good", "kind": "scratch"}, "kind and severity must go with the verdict defective, got good"),
        ({"verdict": "withdrawn", "severity": "minor"}, "kind and severity must go with the verdict defective"),
    ],
)
def test_kind_that_is_not_listed_is_refused_with_the_list(
    client: TestClient,
    store: Store,
    kinds: DefectKinds,
    lot_name: str,
    image_ids: list[str],
    sent: dict[str, Any],
    said: str,
) -> None:
    values = {"verdict": "defective", **sent}
    one = give(client, lot_name, image_ids[0], **values)
    content = json.dumps({"name": "Ada", "looked": True, "images": image_ids[:2], **values})
    many = client.post(f"/lots/{lot_name}/verdicts", content=content, headers=OWN)
    for answer in (one, many):
        assert answer.status_code == 422
        assert said in answer.json()["error"]
        assert len(answer.json()["error"]) < 300
    assert read_verdicts(store, f"runs/{lot_name}").empty


def test_kind_of_a_product_without_a_list_is_refused(client: TestClient, lot_name: str, image_ids: list[str]) -> None:
    answer = give(client, lot_name, image_ids[0], "defective", kind="dent")
    assert answer.json()["error"].startswith("kind must be empty as long as cap has no list of kinds, got 'dent'")


@pytest.mark.parametrize(
    "sent",
    [
        {"kinds": "dent"},
        {"kinds": ["dent"]},
        {"kinds": [{"name": 7}]},
        {"kinds": [{"name": "dent", "colour": "#000000;background:url(//evil)"}]},
        {"kinds": [{"name": "dent\ud800", "colour": "#000000"}]},
        {"kinds": [{"name": "dent", "colour": "#000000", "description": "x" * 301}]},
        {"name": ""},
        {"saved": "kinds/../../x"},
        {"kinds": [{"name": f"k{n}", "colour": "#000000", "description": "x" * 300} for n in range(2000)]},
    ],
)
def test_list_out_of_range_is_refused_and_nothing_is_stored(
    client: TestClient, store: Store, lot_name: str, sent: dict[str, Any]
) -> None:
    assert save(client, lot_name, **sent).status_code in (409, 413, 422)
    assert latest_kinds(store, "cap") == ()


@pytest.mark.parametrize(
    "headers", [{}, {**OWN, "Sec-Fetch-Site": "cross-site"}, {**OWN, "Origin": "https://evil.example"}]
)
def test_list_from_another_site_is_refused(
    client: TestClient, store: Store, lot_name: str, headers: dict[str, str]
) -> None:
    assert save(client, lot_name, headers).status_code == 403
    assert latest_kinds(store, "cap") == ()


def test_two_lists_at_once_do_not_overwrite_each_other(client: TestClient, store: Store, lot_name: str) -> None:
    assert save(client, lot_name).status_code == 201
    answer = save(client, lot_name, name="Ben", kinds=[])
    assert answer.status_code == 409
    assert answer.json()["error"].startswith("Ada saved other kinds of cap meanwhile")
    assert [kind.name for kind in latest_kinds(store, "cap")] == ["dent"]


def test_damaged_list_costs_no_page_and_can_be_replaced(client: TestClient, store: Store, lot_name: str) -> None:
    saved = save(client, lot_name).json()["saved"]
    store.write(saved, b"{")
    for address in (f"/lots/{lot_name}", f"/lots/{lot_name}/kinds"):
        assert client.get(address).status_code == 200
    assert save(client, lot_name, saved=saved).status_code == 201
    assert len(latest_kinds(store, "cap")) == 1


def test_people_who_tell_different_kinds_differ(
    client: TestClient, kinds: DefectKinds, lot_name: str, image_ids: list[str]
) -> None:
    give(client, lot_name, image_ids[0], "defective", kind=NAMES[0])
    give(client, lot_name, image_ids[0], "defective", name="Ben")
    assert "people differ about" not in client.get(f"/lots/{lot_name}").text
    give(client, lot_name, image_ids[0], "defective", name="Eve", kind=NAMES[2])
    assert "people differ about" in client.get(f"/lots/{lot_name}").text


def test_request_as_long_as_a_list_may_be_is_read(client: TestClient, lot_name: str) -> None:
    longest = [{"name": f"{n:040}", "colour": "#000000", "description": "\U0001f600" * 300} for n in range(30)]
    assert len(json.dumps(longest)) < MAX_BODY
    assert save(client, lot_name, kinds=longest).status_code == 201
