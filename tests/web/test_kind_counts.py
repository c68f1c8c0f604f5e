"""Defects of each kind, counted night by night, and found again by a filter."""

import json
from collections.abc import Callable

import pandas as pd
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from storage.products.defect_kinds import DefectKind, DefectKinds, add_kinds
from storage.store import Store
from tests.web.accessible import serious
from tests.web.visiting import OWN, Visitor, give
from web.charts import stacked_bars
from web.product.kind_counts import kind_counts
from web.store_cache import Library

MARKUP = '<b>dent</b> & "x"'


def defects(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["sha256", "kind", "time"])


def test_photograph_of_several_runs_counts_once_a_night_by_its_latest_verdict() -> None:
    runs = [("2026-11-21", "old", "runs/old"), ("2026-11-21", "new", "runs/new"), ("2026-11-22", "next", "runs/next")]
    known = {
        "runs/old": defects(("a", "scratch", "1"), ("b", "dent", "2")),
        "runs/new": defects(("a", "", "3"), ("c", "gone", "1")),
        "runs/next": defects(("a", "scratch", "1")),
    }
    counts = kind_counts(runs, known, {"scratch": "#111111", "stain": "#222222", "dent": "#333333"})
    assert [(night.date, night.run, dict(night.counts)) for night in counts.nights] == [
        ("2026-11-21", "new", {"dent": 1, "gone": 1, "": 1}),
        ("2026-11-22", "next", {"scratch": 1}),
    ]
    assert counts.kinds == ("scratch", "dent", "gone", "")
    assert (counts.colours["dent"], counts.total) == ("#333333", 4)


def test_bars_lie_on_each_other_and_share_one_scale() -> None:
    drawn = stacked_bars(["mon", "tue"], {"scratch": [1, 0], "dent": [3, 2]})
    (_, _, (low, high)), (_, left, (only,)) = drawn.bars
    assert (drawn.most, low.top, low.height, high.top, high.height) == (4, 75.0, 25.0, 0.0, 75.0)
    assert (round(left, 6), only.name, only.height) == (55.0, "dent", 50.0)
    assert stacked_bars([], {}).bars == ()
    assert stacked_bars(["mon"], {"dent": [0]}).most == 0


def test_only_images_looked_at_are_counted(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    sent = {"verdict": "defective", "name": "Ada", "images": image_ids[:3], "looked": False}
    client.post(f"/lots/{lot_name}/verdicts", content=json.dumps(sent), headers=OWN)
    assert "No image that was looked at is judged defective yet." in client.get(f"/lots/{lot_name}/kinds").text
    give(client, lot_name, image_ids[1], "defective")
    library = Library(store)
    assert len(library.defects()[f"runs/{lot_name}"]) == 1
    assert "defects by kind" in client.get(f"/lots/{lot_name}/kinds").text
    assert "defects by kind" not in client.get("/").text, "no defect has a kind yet"


def test_kinds_are_charted_and_filtered(
    visit: Callable[..., Visitor], site: str, client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    """From the overview's chart to the table of nights, and from a count to its images; also on a telephone."""
    add_kinds(store, DefectKinds("cap", (DefectKind("scratch", "1", "#d55e00"), DefectKind(MARKUP, "2")), "Ada"))
    for place, (kind, severity) in enumerate((("scratch", "major"), (MARKUP, ""), (MARKUP, "minor"), ("", ""))):
        give(client, lot_name, image_ids[place], "defective", kind=kind, severity=severity)
    for options in ({}, {"viewport": {"width": 390, "height": 844}}):
        visitor = visit(site, **options)
        page = visitor.page
        expect(page.locator(".kind-bars .key li")).to_have_text(["scratch", MARKUP, "none told"])
        expect(page.locator(".kind-bars rect title")).to_have_text(
            ["2026-11-21: scratch 1", f"2026-11-21: {MARKUP} 2", "2026-11-21: none told 1"]
        )
        page.goto(f"{site}/lots/{lot_name}/kinds")
        expect(page.locator("table tbody tr").last).to_have_text("2026-11-21 1 2 1 4", use_inner_text=True)
        assert serious(page) == {}
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
        page.get_by_role("link", name="2", exact=True).click()
        expect(page.locator(".tile")).to_have_count(2)
        expect(page.locator("select[name=kind]")).to_have_value(MARKUP)
        page.locator("select[name=severity]").select_option("minor")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator(".tile")).to_have_count(1)
        page.locator("#facts").get_by_role("link", name="none told").click()
        expect(page.locator(".tile bdi")).to_have_count(1)
        page.goto(f"{site}/lots/{lot_name}?view=table&verdict=defective")
        page.get_by_role("link", name="severity", exact=True).click()
        expect(page.locator("th[aria-sort=descending]")).to_contain_text("severity")
        rows = page.locator("#table tbody tr")
        expect(rows.nth(0)).to_contain_text("scratch")
        expect(rows.nth(0)).to_contain_text("major")
        expect(rows.nth(1)).to_contain_text("minor")
        page.locator("select[name=sort]").select_option("kind")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator("th[aria-sort=descending]")).to_contain_text("kind")
        expect(rows.nth(3)).not_to_contain_text("scratch")
        assert serious(page) == {}
        assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
        assert visitor.problems == []
