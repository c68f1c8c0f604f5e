"""Places to ignore: drawn by mouse, finger and keys, saved for the product, left out by the next run alone."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from flows.pipelines.lot import score_folder
from storage.errors import DamagedError
from storage.images.drawn_shapes import DrawnShape
from storage.products.ignored_places import IgnoredPlaces, add_ignored, latest_ignored, read_ignored
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request
from tests.web.conftest import SETTINGS
from tests.web.visiting import OWN, Visitor

Visit = Callable[..., Visitor]
BOX = {"shape": "box", "points": [[16, 8], [64, 8], [64, 40], [16, 40]]}


def save(client: TestClient, lot_name: str, image_id: str, headers: Any = OWN, **sent: Any) -> Any:
    content = json.dumps({"name": "Ada", "saved": "", "regions": [BOX], **sent})
    return client.post(f"/lots/{lot_name}/images/{image_id}/ignored", content=content, headers=headers)


def drag(page: Page, *moves: tuple[float, float]) -> None:
    frame = page.locator("#stage").bounding_box()
    assert frame is not None
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    page.mouse.move(x + moves[0][0], y + moves[0][1])
    page.mouse.down()
    for across, down in moves[1:]:
        page.mouse.move(x + across, y + down, steps=5)
    page.mouse.up()


def test_places_are_drawn_undone_removed_and_saved(
    visit: Visit, site: str, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    address = f"{site}/lots/{lot_name}/images"
    visitor = visit(f"{address}/{image_ids[0]}")
    page = visitor.page
    page.get_by_text("Places to ignore in every photograph of cap").click()
    page.get_by_role("button", name="Draw a box").click()
    page.get_by_role("button", name="Ignore a box").click()
    expect(page.get_by_role("button", name="Draw a box")).to_have_attribute("aria-pressed", "false")
    drag(page, (-50, -40), (30, 20))
    drag(page, (60, 60), (90, 90))
    page.get_by_role("button", name="Ignore an outline").click()
    drag(page, (-90, 60), (-40, 60), (-40, 110))
    places = page.locator("#ignored-list li")
    expect(places).to_have_text(["box 1 ✕", "box 2 ✕", "outline 3 ✕"])
    page.get_by_role("button", name="Remove box 2").click()
    expect(places).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(places).to_have_count(3)
    page.get_by_role("button", name="Undo").click()
    expect(places).to_have_text(["box 1 ✕", "box 2 ✕"])
    expect(page.locator("#ignored-said")).to_have_text("Not saved yet.")
    expect(page.locator("#regions")).to_have_text("none")
    page.get_by_role("button", name="Save for cap").click()
    expect(page.locator("#ignored-said")).to_contain_text("This run did not leave these places out; the next one with")
    saved = read_ignored(store, latest_ignored(store, "cap"))
    assert (saved.category, saved.name, saved.width, saved.height) == ("cap", "Ada", 128, 128)
    assert [region.shape for region in saved.regions] == ["box", "box"]
    page.goto(f"{address}/{image_ids[3]}")
    expect(page.locator("#ignored-drawings polygon")).to_have_count(2)
    expect(page.locator("#ignored-said")).to_contain_text("Saved by Ada.")
    assert visitor.problems == []


def test_places_are_drawn_by_keys_and_by_finger(visit: Visit, site: str, lot_name: str, image_ids: list[str]) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    visitor = visit(f"{site}/lots/{lot_name}/images/{image_ids[0]}", **phone)
    page = visitor.page
    page.get_by_text("Places to ignore in every photograph of cap").tap()
    page.get_by_role("button", name="Ignore a box").focus()
    for key in ("Enter", "ArrowRight", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#ignored-list li")).to_have_text(["box 1 ✕"])
    page.locator("#stage").scroll_into_view_if_needed()
    frame = page.locator("#stage").bounding_box()
    assert frame is not None
    finger = page.context.new_cdp_session(page)
    for kind, x, y in (("touchStart", 60, 60), ("touchMove", 120, 130), ("touchMove", 150, 160), ("touchEnd", 0, 0)):
        points = [] if kind == "touchEnd" else [{"x": frame["x"] + x, "y": frame["y"] + y}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator("#ignored-list li")).to_have_text(["box 1 ✕", "box 2 ✕"])
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save for cap").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ignored-said")).to_contain_text("Saved.")
    assert visitor.problems == []


def test_next_run_leaves_saved_places_out_and_pages_say_which_run_did(
    client: TestClient, store: Store, scored: Path, lot_name: str, image_ids: list[str]
) -> None:
    assert save(client, lot_name, image_ids[0]).json()["used"] is False
    assert "This run did not leave them out" in client.get(f"/lots/{lot_name}").text
    given = {"folder": str(scored / "lots" / "cap" / "2026-11-22"), "output": store.url, "category": "cap"}
    done = score_folder(lot_request(**given, **SETTINGS, threshold=0.08, ignore_drawn=True), InlineRunner())
    assert np.isnan(Run(store, done.run).patch_scores()).any()
    name = done.run.removeprefix("runs/")
    assert "This run left them out." in client.get(f"/lots/{name}").text
    assert "This run did not leave them out" in client.get(f"/lots/{lot_name}").text


def test_places_saved_by_somebody_else_meanwhile_are_not_overwritten(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    first = save(client, lot_name, image_ids[0])
    assert first.status_code == 201
    late = save(client, lot_name, image_ids[1], name="Ben", regions=[])
    assert late.status_code == 409
    assert "Ada saved other places of cap meanwhile" in late.json()["error"]
    assert save(client, lot_name, image_ids[1], name="Ben", regions=[], saved=first.json()["saved"]).status_code == 201
    assert read_ignored(store, latest_ignored(store, "cap")).regions == ()


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"regions": [BOX] * 51}, 422, "places to ignore must be at most 50 regions, got 51"),
        ({"name": " "}, 422, "name must have 1 to 80 characters, got 0"),
        ({"saved": 7}, 422, "saved must be text, got int"),
        ({"regions": "all"}, 422, "must be a JSON object"),
        ({"regions": [{**BOX, "points": [[500, 500], [600, 500], [600, 600], [500, 600]]}]}, 422, "128 × 128 pixels"),
    ],
)
def test_places_out_of_range_are_refused_by_name(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], sent: dict[str, Any], status: int, said: str
) -> None:
    answer = save(client, lot_name, image_ids[0], **sent)
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert latest_ignored(store, "cap") == ""


@pytest.mark.parametrize(
    "headers", [{}, {**OWN, "Origin": "http://evil.example"}, {**OWN, "Sec-Fetch-Site": "cross-site"}]
)
def test_places_from_a_page_of_another_site_are_refused(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], headers: dict[str, str]
) -> None:
    assert save(client, lot_name, image_ids[0], headers).status_code == 403
    assert latest_ignored(store, "cap") == ""


def test_run_that_left_the_same_places_out_says_so_after_they_were_saved_again(
    client: TestClient, store: Store, scored: Path, lot_name: str, image_ids: list[str]
) -> None:
    first = save(client, lot_name, image_ids[0]).json()
    given = {"folder": str(scored / "lots" / "cap" / "2026-11-22"), "output": store.url, "category": "cap"}
    done = score_folder(lot_request(**given, **SETTINGS, threshold=0.08, ignore_drawn=True), InlineRunner())
    assert save(client, lot_name, image_ids[0], saved=first["saved"]).json()["saved"] != first["saved"]
    assert "This run left them out." in client.get(f"/lots/{done.run.removeprefix('runs/')}").text


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"format_version": 1}', b'{"format_version": 1, "regions": [], "width": 0}', b"{", b"\xff"],
)
def test_damaged_places_are_named_and_a_new_save_replaces_them(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], content: bytes
) -> None:
    store.write("ignored/cap/20200101T000000000000-00000000.json", content)
    path = latest_ignored(store, "cap")
    with pytest.raises(DamagedError, match=f"{path} in .* must hold places to ignore"):
        read_ignored(store, path)
    assert client.get(f"/lots/{lot_name}").status_code == 200
    assert client.get(f"/lots/{lot_name}/images/{image_ids[0]}").status_code == 200
    assert save(client, lot_name, image_ids[0], saved=path).status_code == 201
    assert read_ignored(store, latest_ignored(store, "cap")).name == "Ada"


def test_places_are_not_stretched_over_a_photograph_of_other_proportions(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    places = IgnoredPlaces(
        "cap", 100, 300, (DrawnShape("box", ((0, 0), (9, 0), (9, 9), (0, 9))),), "Ada", "runs/x", "0"
    )
    known = add_ignored(store, places)
    answer = save(client, lot_name, image_ids[0], saved=known)
    assert answer.status_code == 422
    assert "with the proportions of 100 × 300 pixels, got 128 × 128" in answer.json()["error"]


def test_latest_save_counts_though_the_clock_was_set_back(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    future = IgnoredPlaces("cap", 128, 128, (), "Ada", "runs/x", "0", time="2999-01-01T00:00:00.000000+00:00")
    known = add_ignored(store, future)
    assert save(client, lot_name, image_ids[0], saved=known, name="Ben").json()["name"] == "Ben"
    assert read_ignored(store, latest_ignored(store, "cap")).name == "Ben"


def test_of_two_saves_at_once_one_is_refused(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    with ThreadPoolExecutor(4) as people:
        answers = list(people.map(lambda name: save(client, lot_name, image_ids[0], name=name), "ABCD"))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
