"""The report and the list of parts to pull on paper: A4 pages of Chromium's print to PDF, and what stands on them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from storage.results.runs import Run
from storage.store import Store
from tests.web.accessible import serious
from tests.web.visiting import MARKUP, OWN, Visitor, give

A4_POINTS = (595, 842)
A4_PIXELS = 210 / 25.4 * 96
MARGIN_PIXELS = 2 * 12 / 25.4 * 96


def printed_pages(page: Page, path: Path) -> int:
    """Print to A4 and return how many pages there are."""
    page.pdf(path=path, prefer_css_page_size=True)
    content = path.read_bytes()
    sizes = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert {(round(float(width)), round(float(height))) for width, height in sizes} == {A4_POINTS}
    return len(re.findall(rb"/Type ?/Page\b", content))


def overflow_on_paper(page: Page) -> list[str]:
    """What stands out of a sheet of A4 on the right."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": int(A4_PIXELS - MARGIN_PIXELS), "height": 1000})
    return list(
        page.evaluate(
            "[...document.querySelectorAll('main *')].filter(one => one.checkVisibility() && !one.closest('.hidden')"
            " && one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))"
        )
    )


def test_parts_to_pull_are_those_judged_defective_and_those_still_open(
    client: TestClient, store: Store, lot_name: str
) -> None:
    scores = Run(store, f"runs/{lot_name}").scores()
    listed, accepted = scores[scores["decision"] != "accepted"], scores[scores["decision"] == "accepted"]
    give(client, lot_name, listed["image_id"].iloc[0], "good")
    give(client, lot_name, accepted["image_id"].iloc[0], "defective", note="<b>rim</b>", name="Eve")
    page = client.get(f"/lots/{lot_name}/pull").text
    shown = re.findall(r'<b class="file"><bdi>([^<]*)</bdi>', page)
    expected = sorted([*listed["path"].iloc[1:], accepted["path"].iloc[0]])
    assert len(shown) == len(expected)
    assert [name for name in shown if re.fullmatch(r"\d+\.png", name)] == [
        name for name in expected if re.fullmatch(r"\d+\.png", name)
    ]
    assert "&lt;b&gt;rim&lt;/b&gt;" in page
    assert MARKUP not in page
    assert client.get("/lots/..%2f..%2fetc/pull").status_code == 404


def test_parts_to_pull_print_on_a4_with_large_names(
    visit: Callable[..., Visitor], site: str, client: TestClient, lot_name: str, image_ids: list[str], tmp_path: Path
) -> None:
    sent = {"verdict": "defective", "name": "Ada", "looked": True, "images": image_ids}
    client.post(f"/lots/{lot_name}/verdicts", content=json.dumps(sent), headers=OWN)
    visitor = visit(f"{site}/lots/{lot_name}/pull", viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = visitor.page
    expect(page.locator(".pull li")).to_have_count(20)
    assert serious(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert 2 <= printed_pages(page, tmp_path / "pull.pdf") <= 5
    assert overflow_on_paper(page) == []
    size = page.locator(".file").first.evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
    assert size * 72 / 96 >= 14, "points, read at arm's length"
    assert page.locator("body").evaluate("one => getComputedStyle(one).color") == "rgb(27, 32, 36)", "dark on paper"
    assert visitor.problems == []


def test_report_fits_windows_and_a4(browser_page: Page, store: Store, lot_name: str, tmp_path: Path) -> None:
    page = browser_page
    page.goto(f"file://{store.url}/runs/{lot_name}/report/report.html")
    table = page.get_by_role("region", name="Table of all images")
    for width in (1280, 1024, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert table.evaluate("one => one.scrollWidth - one.clientWidth") <= 0, width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    table.get_by_role("button", name="decision").click()
    expect(page.locator("#sorted")).not_to_be_empty()
    assert printed_pages(page, tmp_path / "report.pdf") >= 2
    assert overflow_on_paper(page) == []


def test_folded_warnings_stand_on_paper(browser_page: Page, store: Store, lot_name: str) -> None:
    browser_page.goto(f"file://{store.url}/runs/{lot_name}/report/report.html")
    warning = browser_page.locator(".warnings li").first
    expect(warning).not_to_be_visible()
    browser_page.emulate_media(media="print")
    expect(warning).to_be_visible()
