"""Many images judged at once: selected with the mouse or by keys, stored as one action, and undone."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from storage.results.verdict_reader import read_verdicts
from storage.results.verdicts import current_verdicts
from storage.store import Store
from tests.web.accessible import serious
from tests.web.visiting import MARKUP, OWN, Visitor

Visit = Callable[..., Visitor]
PHONE = {"viewport": {"width": 390, "height": 844}}


def judge_many(client: TestClient, lot_name: str, images: Any, headers: dict[str, str] = OWN, **more: Any) -> Any:
    sent = {"verdict": "good", "name": "Ada", "looked": False, "images": images, **more}
    return client.post(f"/lots/{lot_name}/verdicts", content=json.dumps(sent), headers=headers)


def undo(client: TestClient, lot_name: str, headers: dict[str, str] = OWN, **sent: Any) -> Any:
    return client.post(f"/lots/{lot_name}/undo", content=json.dumps({"name": "Ada", **sent}), headers=headers)


def test_images_are_selected_with_the_mouse_judged_by_one_key_and_undone(
    visit: Visit, site: str, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    visitor = visit(f"{site}/lots/{lot_name}?view=grid")
    page = visitor.page
    tiles, selected = page.locator(".tile"), page.locator(".tile.selected")
    expect(page.locator("#nights tr")).to_have_count(2)  # above the images, and so moves them
    tiles.nth(1).locator(".pick").check()
    tiles.nth(4).locator("a").click(modifiers=["Shift"])
    expect(selected).to_have_count(4)
    tiles.nth(2).locator("a").click(modifiers=["ControlOrMeta"])
    expect(page.locator("#selected")).to_have_text("3 images selected.")
    first, last = tiles.nth(7).bounding_box(), tiles.nth(8).bounding_box()
    assert first is not None
    assert last is not None
    page.mouse.move(first["x"] + 30, first["y"] + 60)
    page.mouse.down()
    page.mouse.move(last["x"] + 40, last["y"] + 90, steps=4)
    page.mouse.up()
    expect(page.locator("#selected")).to_have_text("5 images selected.")
    assert serious(page) == {}
    page.get_by_label("I looked at each of them").check()
    page.keyboard.press("g")
    expect(page.locator("#said")).to_have_text("5 images judged good. Ctrl-Z undoes.")
    expect(page.locator(".tile .badge.good")).to_have_count(5)
    expect(page.locator("#facts")).to_contain_text("5 of 20")
    found = read_verdicts(store, f"runs/{lot_name}")
    assert found["image_id"].tolist() == [image_ids[place] for place in (1, 3, 4, 7, 8)]
    assert found["looked"].all()
    assert set(found["at_once"]) == {5}
    assert found["action"].nunique() == 1
    page.keyboard.press("Control+z")
    expect(page.locator("#said")).to_have_text("Undid: 5 images judged good.")
    expect(page.locator(".tile .badge.good")).to_have_count(0)
    page.get_by_role("button", name="Undo: undid: 5 images judged good").click()
    expect(page.locator(".tile .badge.good")).to_have_count(5)
    expect(page.locator("#actions li")).to_have_count(3)
    assert serious(page) == {}
    assert visitor.problems == []


def test_page_after_page_is_judged_by_keyboard_alone(visit: Visit, site: str, store: Store, lot_name: str) -> None:
    """On a telephone's width: the accepted ones that nobody judged, without a look, then one with a look."""
    visitor = visit(f"{site}/lots/{lot_name}?decision=accepted&verdict=none", **PHONE)
    page = visitor.page
    accepted = page.locator(".tile").count()
    page.evaluate("localStorage.clear()")
    page.get_by_label("Your name").fill("")
    page.locator(".tile a").first.focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#selected")).to_have_text("4 images selected.")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.locator("#selected")).to_have_text(f"{accepted} images selected.")
    page.keyboard.press("Tab")
    page.keyboard.press("g")
    expect(page.locator("#said")).to_contain_text("Type your name and press Enter")
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Ben")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text(f"{accepted} images judged good, not looked at. Ctrl-Z undoes.")
    expect(page.locator("#images-shown")).to_contain_text("No image of this lot fits these filters.")
    expect(page.locator("#facts")).to_contain_text(f"{accepted} not looked at")
    page.keyboard.press("Control+z")
    expect(page.locator(".tile")).to_have_count(accepted)
    page.locator(".tile a").first.focus()
    page.keyboard.press("l")
    page.keyboard.press("u")
    expect(page.locator("#said")).to_contain_text("judged unsure. Ctrl-Z undoes.")
    expect(page.locator(".tile a").first).to_be_focused()
    assert serious(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    current = current_verdicts(read_verdicts(store, f"runs/{lot_name}"))
    assert current[["verdict", "name", "looked"]].to_numpy().tolist() == [["unsure", "Ben", True]]
    assert visitor.problems == []


def test_selection_holds_what_a_view_does_on_all_its_pages(client: TestClient, lot_name: str) -> None:
    def selected(query: str) -> list[str]:
        return list(client.get(f"/lots/{lot_name}/selection.json?{query}").json()["images"])

    everything = selected("view=table")
    assert len(everything) == 20
    judge_many(client, lot_name, everything[:3])
    assert selected("verdict=none") == everything[3:]
    assert selected("verdict=unseen") == everything[:3]


def test_undo_is_for_ones_own_last_verdict_or_for_one_that_is_named(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    judge_many(client, lot_name, image_ids[:2])
    named = judge_many(client, lot_name, image_ids[2:4], name="Ben").json()["action"]
    assert undo(client, lot_name).json()["said"] == "undid: 2 images judged good, not looked at"
    assert undo(client, lot_name).status_code == 422
    assert undo(client, lot_name, action=named).status_code == 201
    assert current_verdicts(read_verdicts(store, f"runs/{lot_name}")).empty


def test_request_sent_twice_is_stored_once(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    first, second = (judge_many(client, lot_name, image_ids, token="0123456789abcdef").json() for _ in range(2))
    assert first == second
    assert len(read_verdicts(store, f"runs/{lot_name}")) == len(image_ids)


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"images": []}, 422, "images must be the names of one image or more"),
        ({"images": "all"}, 422, "images must be the names of one image or more"),
        ({"images": [7]}, 422, "images must be the names of one image or more"),
        ({"images": ["../../etc/passwd"]}, 422, "images must be scored images of the lot, got 1 others"),
        ({"images": ["x"] * 200_000}, 413, "a request must have at most"),
        ({"looked": "yes"}, 422, "looked must be true or false, got 'yes'"),
        ({"token": "../x"}, 422, "token must have 16 hexadecimal digits"),
        ({"verdict": "perfect"}, 422, "verdict must be one of"),
        ({"name": " "}, 422, "name must have 1 to 80 characters"),
        ({"name": MARKUP * 9}, 422, "name must have 1 to 80 characters"),
        ({"note": "\ud800"}, 422, "note must be text"),
    ],
)
def test_verdicts_about_many_out_of_range_are_refused_whole(
    client: TestClient,
    store: Store,
    lot_name: str,
    image_ids: list[str],
    change: dict[str, Any],
    status: int,
    said: str,
) -> None:
    answer = judge_many(client, lot_name, **{"images": image_ids, **change})
    assert (answer.status_code, said in answer.json()["error"]) == (status, True)
    assert read_verdicts(store, f"runs/{lot_name}").empty


@pytest.mark.parametrize("action", ["../../../etc/passwd", "x", "%00", "20261122T040506000007-0a1b2c3d"])
def test_actions_that_are_none_are_not_undone(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], action: str
) -> None:
    judge_many(client, lot_name, image_ids[:2])
    before = store.sizes("")
    assert undo(client, lot_name, action=action).status_code == 422
    assert store.sizes("") == before


@pytest.mark.parametrize(
    "headers", [{}, {**OWN, "Origin": "http://evil.example"}, {**OWN, "Sec-Fetch-Site": "cross-site"}]
)
def test_pages_of_other_sites_neither_judge_many_nor_undo(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], headers: dict[str, str]
) -> None:
    judge_many(client, lot_name, image_ids[:1], verdict="defective")
    assert judge_many(client, lot_name, image_ids, headers).status_code == 403
    assert undo(client, lot_name, headers).status_code == 403
    assert current_verdicts(read_verdicts(store, f"runs/{lot_name}"))["verdict"].tolist() == ["defective"]


def test_names_of_people_and_images_are_text_in_the_list_of_actions(client: TestClient, lot_name: str) -> None:
    images = client.get(f"/lots/{lot_name}/selection.json").json()["images"]
    for image in images:
        judge_many(client, lot_name, [image], name="<script>alert(1)</script>")
    page = client.get(f"/lots/{lot_name}?view=grid").text
    assert page.count("data-undo=") == 10
    assert "<script>alert" not in page
    assert MARKUP not in page
