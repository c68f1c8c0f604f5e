"""Settings learned from verdicts, from the first night to the way back, by the browser and the commands themselves."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from storage.store import Store
from tests.flows.judged_lots import PRODUCT, draw_night
from tests.forking import ForkServer
from tests.web.visiting import Visitor

FOUND = "efficientnet-lite0, layers 4,5,6,7, image score balanced"
DEFAULT = "the default settings: efficientnet-lite0"
WIDTHS = (1280, 390)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The store of the first night, which is empty before."""
    return Store(str(tmp_path / "store"))


def night_of(forks: ForkServer, root: Path, number: int) -> tuple[str, dict[str, Any], str]:
    """Draw a night and score it with the command: what it says, `run.json`, and the report's page."""
    draw_night(root, number, good=8, bad=6)
    words = ["nightly", str(root / "lots"), "--output", str(root / "store"), "--engine", "inline"]
    said = forks.run(["-m", "cli", *words])
    (run,) = (root / "store" / "runs").glob(f"*2026-11-{number}*")
    (page,) = run.glob("report/report.html")
    return said, json.loads((run / "run.json").read_text("utf-8")), page.read_text("utf-8")


def judge_by_name(page: Page, named: str, count: int, key: str) -> None:
    """Select the first images whose names begin so, and judge them by one key, as one who looked at each."""
    tiles = page.locator(".tile").filter(has_text=re.compile(rf"{named}-\d\d\.png"))
    for place in range(count):
        tiles.nth(place).locator(".pick").check()
    page.get_by_label("I looked at each of them").check()
    with page.expect_response(lambda answer: answer.request.method == "POST"):  # what is said may be of those before
        page.keyboard.press(key)
    expect(page.locator("#said")).to_contain_text(f"{count} images judged")


def test_verdicts_choose_the_settings_of_the_next_night_until_somebody_goes_back(
    forks: ForkServer, site: str, store: Store, tmp_path: Path, visit: Callable[..., Visitor]
) -> None:
    _, record, _ = night_of(forks, tmp_path, 21)
    assert record["job"]["of_product"] is None
    visitor = visit(site)
    page, used = visitor.page, visitor.page.locator(".settings-used")
    box = page.locator(f"[data-category={PRODUCT}]")
    expect(box).to_contain_text("judge 5 more defective and 5 more good.")

    page.goto(f"{site}/lots/{next(Path(store.url, 'runs').iterdir()).name}?view=grid")
    judge_by_name(page, "bad", 6, "d")
    judge_by_name(page, "good", 6, "g")
    page.goto(site)
    expect(box).to_contain_text("There are enough verdicts to compare settings: musc tune")
    command = box.inner_text().split("compare settings: musc ")[1].splitlines()[0]
    said = forks.run(
        ["-m", "cli", *shlex.split(command), "--networks", "efficientnet-lite0", "--sizes", "320", "--engine", "inline"]
    )
    assert "Nothing is changed yet." in said

    page.reload()
    expect(used).to_have_text(DEFAULT)
    page.get_by_text("Settings compared by verdicts").click()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        expect(box.locator("td").filter(has_text="(found)")).to_have_text(f"{FOUND} (found)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=tmp_path / f"compared-{width}.png", full_page=True)
    page.get_by_role("button", name="Accept the settings found").click()
    expect(page.locator(".settings-said")).to_contain_text("Saved. In use from the next lot on: ")
    expect(used).to_contain_text(f"{FOUND}; accepted by Ada")
    page.screenshot(path=tmp_path / "accepted-390.png", full_page=True)

    said, record, report = night_of(forks, tmp_path, 22)
    assert f"Scored with the settings of {PRODUCT}: {FOUND}; accepted by Ada" in " ".join(said.split())
    assert f"{FOUND}; accepted by Ada" in record["job"]["of_product"]["text"]
    assert [layer["number"] for layer in record["job"]["backbone"]["layers"]] == [4, 5, 6, 7]
    assert record["job"]["settings"]["image_score"] == "balanced"
    assert f"{FOUND}; accepted by Ada" in report
    assert record["decision"]["nights"] == [], "scores of other settings take no part in the decision"
    page.goto(site)
    page.locator("a").filter(has_text="2026-11-22").first.click()
    expect(page.locator("body")).to_contain_text(f"{FOUND}; accepted by Ada")

    page.goto(site)
    page.get_by_text("Settings compared by verdicts").click()
    page.get_by_role("button", name="Back to the default settings").click()
    expect(used).to_have_text(DEFAULT)
    _, record, report = night_of(forks, tmp_path, 23)
    assert (record["job"]["of_product"], "accepted by Ada" in report) == (None, False)
    assert record["job"]["settings"]["image_score"] == "max"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.reload()
        expect(page.locator(".night, td.name a").first).to_be_visible()
        page.screenshot(path=tmp_path / f"back-{width}.png", full_page=True)
    assert visitor.problems == []
