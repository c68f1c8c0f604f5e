"""The site as an inspector uses it, in a real browser."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from storage.results.runs import Run
from storage.results.verdict_reader import read_verdicts
from storage.results.verdicts import current_verdicts
from storage.store import Store
from tests.web.accessible import serious
from tests.web.visiting import MARKUP, QUOTES, Visitor

Visit = Callable[..., Visitor]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DARK_PHONE = {**PHONE, "color_scheme": "dark"}


def no_problem(visitor: Visitor) -> None:
    assert visitor.problems == []


def open_first_image(page: Page) -> None:
    page.locator(".night").last.click()
    expect(page.locator("#counts")).to_contain_text("pulled")
    page.locator(".tile a").first.click()
    expect(page.locator("#zoom-level")).to_contain_text("%")
    expect(page.locator("#matches figure")).not_to_have_count(0)


def test_the_way_of_an_inspector(visit: Visit, site: str, store: Store, lot_name: str, tmp_path: Path) -> None:
    """Overview, lot, sort, filter, slider, image, zoom, verdict by key, reload, export."""
    visitor = visit(site)
    page = visitor.page
    page.get_by_role("link", name=re.compile("suspect of 20")).first.click()
    expect(page.locator("h1")).to_contain_text("of 20 images: ")
    images = page.locator(".tile").first.locator("img")
    expect(images).to_have_js_property("complete", True)
    assert images.evaluate("image => image.naturalWidth") == 320

    page.locator("select[name=sort]").select_option("name")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name="Lowest first").click()
    names = page.locator(".tile bdi").all_inner_texts()
    assert names == sorted(names)
    page.locator("select[name=decision]").select_option("accepted")
    page.get_by_role("button", name="Show", exact=True).click()
    accepted = Run(store, f"runs/{lot_name}").scores().query("decision == 'accepted'")
    expect(page.locator(".tile")).to_have_count(len(accepted))
    page.get_by_role("link", name="All images").click()

    slider = page.get_by_label("Threshold on the raw score")
    slider.fill("0")
    expect(page.locator("#counts")).to_contain_text("20 images pulled (100.0 % of the lot)")
    slider.fill("1000")
    expect(page.locator("#counts")).to_contain_text("1 image pulled")
    page.get_by_role("link", name="Show these images").click()
    expect(page.locator(".tile")).to_have_count(1)
    page.get_by_role("link", name="All images").click()

    page.locator("select[name=sort]").select_option("score")
    page.get_by_role("button", name="Show", exact=True).click()
    if page.get_by_role("link", name="Highest first").count():
        page.get_by_role("link", name="Highest first").click()
    page.locator(".tile a").first.click()
    page.locator("#stage").hover()
    expect(page.locator("#zoom-level")).to_contain_text("%")
    before = page.locator("#zoom-level").inner_text()
    page.mouse.wheel(0, -400)
    expect(page.locator("#zoom-level")).not_to_have_text(before)
    page.keyboard.press("0")
    expect(page.locator("#zoom-level")).to_have_text(before)
    page.keyboard.press("f")
    expect(page.locator("#zoom-level")).to_have_text("100 %")

    page.keyboard.press("n")
    page.keyboard.type("scratch at the rim")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(page.locator("#said")).to_have_text("Stored: defective.")
    page.reload()
    expect(page.get_by_role("button", name="Defective")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#history")).to_contain_text("scratch at the rim")

    page.get_by_role("navigation", name="Where you are").get_by_role("link", name="cap-2026-11-21").click()
    expect(page.locator(".tile").first.locator(".badge.defective")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Verdicts as CSV").click()
    download.value.save_as(tmp_path / "verdicts.csv")
    table = pd.read_csv(tmp_path / "verdicts.csv")
    assert table[["verdict", "note", "name", "counts"]].to_numpy().tolist() == [
        ["defective", "scratch at the rim", "Ada", True]
    ]
    no_problem(visitor)


def test_two_people_at_once_lose_nothing(
    visit: Visit, site: str, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    address = f"{site}/lots/{lot_name}/images/{image_ids[0]}"
    ada, ben = visit(address), visit(address)
    for visitor, name, key in ((ada, "Ada", "d"), (ben, "Ben", "g")):
        visitor.page.get_by_label("Your name").fill(name)
        visitor.page.locator("#stage").focus()
        visitor.page.keyboard.press(key)
        expect(visitor.page.locator("#said")).to_contain_text("Stored")
    expect(ben.page.locator("#said")).to_contain_text("Meanwhile Ada said defective; both are kept, yours counts.")
    kept = read_verdicts(store, f"runs/{lot_name}")
    assert kept[["name", "verdict"]].to_numpy().tolist() == [["Ada", "defective"], ["Ben", "good"]]
    ada.page.reload()
    expect(ada.page.locator("#history li")).to_have_count(2)
    expect(ada.page.locator("#history li.overruled")).to_contain_text("Ada")
    no_problem(ada)
    no_problem(ben)


def test_verdict_is_taken_back(visit: Visit, site: str, store: Store, lot_name: str, image_ids: list[str]) -> None:
    visitor = visit(f"{site}/lots/{lot_name}/images/{image_ids[0]}")
    visitor.page.locator("#stage").focus()
    visitor.page.keyboard.press("u")
    expect(visitor.page.locator("#said")).to_have_text("Stored: unsure.")
    visitor.page.keyboard.press("Backspace")
    expect(visitor.page.locator("#said")).to_have_text("Taken back.")
    assert current_verdicts(read_verdicts(store, f"runs/{lot_name}")).empty
    no_problem(visitor)


def test_everything_is_reached_by_keyboard(
    visit: Visit, site: str, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    """Tab, Enter and keys only: to the lot, to an image, a box drawn and sized, verdicts, on to the next image."""
    visitor = visit(site)
    page = visitor.page

    def reach(selector: str) -> None:
        for _ in range(200):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} must be reached by Tab")

    reach(".night")
    page.keyboard.press("Enter")
    expect(page.locator("#counts")).to_contain_text("pulled")
    reach("#threshold")
    before = page.locator("#counts").inner_text()
    page.keyboard.press("Home")
    expect(page.locator("#counts")).not_to_have_text(before)
    reach(".tile a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/images/*")
    expect(page.locator("#zoom-level")).to_contain_text("%")
    first = page.locator("h1").inner_text()
    page.keyboard.press("b")
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#regions li")).to_have_text(["box 1 ✕"])
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(page.locator("h1")).not_to_have_text(first)
    expect(page.locator("#said")).to_have_text(f"{first}: defective. Ctrl-Z undoes.")
    second = page.locator("h1").inner_text()
    page.keyboard.press("g")
    expect(page.locator("#said")).to_have_text(f"{second}: good. Ctrl-Z undoes.")
    for name in (second, first):
        page.keyboard.press("ArrowLeft")
        expect(page.locator("h1")).to_have_text(name)
        expect(page.locator("#zoom-level")).to_contain_text("%")  # and so hears keys
    (run,) = Path(store.url, "verdicts").iterdir()
    verdicts = read_verdicts(store, f"runs/{run.name}")
    assert verdicts["verdict"].tolist() == ["defective", "good"]
    (region,) = verdicts["regions"][0]
    across, down = zip(*region["points"], strict=True)
    assert region["shape"] == "box"
    assert max(across) - min(across) > max(down) - min(down), "Shift with the right arrow widens"
    no_problem(visitor)


def test_places_are_drawn_with_the_mouse(
    visit: Visit, site: str, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    visitor = visit(f"{site}/lots/{lot_name}/images/{image_ids[0]}")
    page = visitor.page
    frame = page.locator("#stage").bounding_box()
    assert frame is not None
    middle = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2

    def drag(*moves: tuple[float, float]) -> None:
        page.mouse.move(middle[0] + moves[0][0], middle[1] + moves[0][1])
        page.mouse.down()
        for across, down in moves[1:]:
            page.mouse.move(middle[0] + across, middle[1] + down, steps=5)
        page.mouse.up()

    page.get_by_role("button", name="Draw a box").click()
    drag((-50, -40), (30, 20))
    page.get_by_role("button", name="Draw an outline").click()
    drag((0, 0), (60, 0), (60, 60), (0, 60))
    expect(page.locator("#regions li")).to_have_count(2)
    page.get_by_role("button", name="Defective").click()
    expect(page.locator("#said")).to_have_text("Stored: defective.")
    box, outline = read_verdicts(store, f"runs/{lot_name}")["regions"][0]
    scale = float(page.locator("#zoom-level").inner_text().rstrip(" %")) / 100
    assert [box["shape"], outline["shape"]] == ["box", "outline"]
    across, down = zip(*box["points"], strict=True)
    assert max(across) - min(across) == pytest.approx(80 / scale, rel=0.02)
    assert max(down) - min(down) == pytest.approx(60 / scale, rel=0.02)
    assert min(across) == pytest.approx(64 - 50 / scale, abs=1)
    assert len(outline["points"]) > 10
    page.reload()
    expect(page.locator("#regions li")).to_have_count(2)
    page.get_by_role("button", name="Remove box 1").click()
    page.get_by_role("button", name="Defective").click()
    expect(page.locator("#history li")).to_have_count(2)
    assert [len(regions) for regions in read_verdicts(store, f"runs/{lot_name}")["regions"]] == [2, 1]
    no_problem(visitor)


@pytest.mark.parametrize("options", [PHONE, DARK_PHONE], ids=["light", "dark"])
def test_pages_fit_a_phone(visit: Visit, site: str, lot_name: str, image_ids: list[str], options: Any) -> None:
    visitor = visit(site, **options)
    for address in (
        "/",
        f"/lots/{lot_name}",
        f"/lots/{lot_name}?view=table",
        f"/lots/{lot_name}/images/{image_ids[0]}",
    ):
        visitor.page.goto(site + address, wait_until="networkidle")
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390, address
        no_problem(visitor)
    visitor.page.get_by_role("button", name="Good").tap()
    expect(visitor.page.locator("#said")).to_have_text("Stored: good.")


def test_strange_names_are_shown_and_run_nothing(visit: Visit, site: str, lot_name: str) -> None:
    visitor = visit(f"{site}/lots/{lot_name}?view=table")
    assert {MARKUP, QUOTES} <= set(visitor.page.locator("td bdi").all_inner_texts())
    for name in (MARKUP, QUOTES):
        visitor.page.goto(f"{site}/lots/{lot_name}?view=table")
        visitor.page.get_by_role("link", name=name, exact=True).click()
        expect(visitor.page.locator("h1")).to_have_text(name)
        expect(visitor.page.locator("#matches figure")).not_to_have_count(0)
    assert visitor.page.locator("img[src='x']").count() == 0
    no_problem(visitor)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(visit: Visit, site: str, lot_name: str, image_ids: list[str], scheme: str) -> None:
    found, page = {}, visit(site, color_scheme=scheme).page
    for address in (
        "/",
        f"/lots/{lot_name}",
        f"/lots/{lot_name}?view=table",
        f"/lots/{lot_name}/images/{image_ids[0]}",
        f"/lots/{lot_name}/images/{image_ids[-1]}",
    ):
        page.goto(site + address, wait_until="networkidle")
        if faults := serious(page):
            found[address] = faults
    assert found == {}


def test_missing_photograph_is_told(visit: Visit, site: str, store: Store, lot_name: str, image_ids: list[str]) -> None:
    record = Path(store.url, "runs", lot_name, "run.json")
    changed = json.loads(record.read_text("utf-8"))
    folder = Path(changed["job"]["folder"])
    place = folder.with_name(folder.name[:-1] + "9")
    record.write_text(record.read_text("utf-8").replace(folder.name + '"', place.name + '"'), encoding="utf-8")
    visitor = visit(f"{site}/lots/{lot_name}/images/{image_ids[0]}")
    expect(visitor.page.locator("#gone")).to_be_visible()
    visitor.page.get_by_role("button", name="Good").click()
    expect(visitor.page.locator("#said")).to_have_text("Stored: good.")
    assert all("404" in problem for problem in visitor.problems)


def test_note_survives_a_store_that_cannot_be_written(
    visit: Visit, site: str, lot_name: str, image_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    visitor = visit(f"{site}/lots/{lot_name}/images/{image_ids[0]}")
    visitor.page.get_by_label("Note").fill("an important note")
    with monkeypatch.context() as patch:
        patch.setattr("storage.results.verdict_reader.add_verdicts", full)
        visitor.page.get_by_role("button", name="Good").click()
        expect(visitor.page.locator("#said")).to_contain_text("Not stored")
    expect(visitor.page.locator("#said")).to_contain_text("There is no room left to store anything")
    expect(visitor.page.get_by_label("Note")).to_have_value("an important note")
    visitor.page.get_by_role("button", name="Good").click()
    expect(visitor.page.locator("#said")).to_have_text("Stored: good.")
