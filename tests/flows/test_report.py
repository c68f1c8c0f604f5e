"""The report of a real run: made, kept apart from the scores, and read by a real browser."""

import io
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from planning.task_results import ScoredLot
from reports.make_run_record import cautions
from reports.page.causes import read_causes
from reports.page.finished_run import FinishedRun
from reports.page.gallery import gallery_of
from reports.run_record import read_record
from storage.datasets.synthetic.lot import write_lot
from storage.results.profiles import FOLDER as PROFILES
from storage.results.runs import Run
from storage.results.site_address import USUAL, note_site
from storage.store import Store
from tests.flat import job_of, record_of

SMALL: dict[str, Any] = {"backbone": "texture", "image_size": 128, "layers": (0, 1), "degrees": (1, 3)}
MARKUP = "<img src=x onerror=alert(1)>.png"
QUOTES = "\"quote' & ünïcode 部品 {{ 7*7 }}.png"
EMPTY = "<b>empty.png"


def score(folder: Path, output: Path, **changes: Any) -> ScoredLot:
    from tests.flat import score_lot

    return score_lot(str(folder), str(output), **{**SMALL, **changes})


@pytest.fixture(scope="module")
def lot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten good parts and four defective ones, two of these with names of markup and quotes, and a bad file."""
    drawn = tmp_path_factory.mktemp("drawn")
    folder = tmp_path_factory.mktemp("lots") / "caps <i>&amp;"
    folder.mkdir()
    pictures = write_lot(drawn, good_count=10, defective_count=4, size=128)
    names = [f"{number:02d}.png" for number in range(12)]
    for picture, name in zip(pictures, [*names, MARKUP, QUOTES], strict=True):
        (folder / name).write_bytes(picture.read_bytes())
    (folder / EMPTY).write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def scored(lot: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ScoredLot, Path]:
    """A run whose threshold flags the worst third of its images and makes none suspect, and its store."""
    output = tmp_path_factory.mktemp("store")
    first = score(lot, output)
    raw = Run(Store(str(output)), first.run).scores()["raw_score"]
    return score(lot, output, threshold=float(np.sort(raw)[-5]), suspects=0), output


@pytest.fixture
def page(scored: tuple[ScoredLot, Path], browser: Browser) -> Page:
    """The report, opened from disk as a person would; whatever goes wrong in it is in `page.problems`."""
    done, output = scored
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else problems.append(asked.url))
    page.goto((output / done.report).as_uri())
    page.problems = problems  # type: ignore[attr-defined]
    return page


def test_report_opens_without_a_problem_and_shows_the_first_flagged_image(page: Page) -> None:
    images = page.locator(".card.flagged img")
    assert images.count() > 0
    images.first.scroll_into_view_if_needed()
    assert images.first.is_visible()
    sizes = page.evaluate("Array.from(document.images, image => image.complete && image.naturalWidth)")
    assert all(size > 0 for size in sizes)
    assert page.problems == []  # type: ignore[attr-defined]


def test_report_says_the_result_first(page: Page) -> None:
    assert page.locator("h1").inner_text() == "Look at 5 of 14 images: all flagged"
    page.locator("details.warnings summary").click()
    assert "texture backbone" in page.get_by_role("list", name="Warnings").inner_text()
    page.locator("details.warnings summary").click()
    assert page.get_by_role("img", name="5 flagged from").is_visible()
    box = page.locator(".chart").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900
    assert page.locator(".card.flagged").count() == 5
    assert page.locator(".card .like figure").count() == 5 * 4


def test_report_decodes_each_photograph_once(
    scored: tuple[ScoredLot, Path], lot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, output = scored
    run, decoded = Run(Store(str(output)), done.run), Counter[int]()
    photograph = FinishedRun.photograph

    def counted(finished: FinishedRun, position: int) -> Image.Image | None:
        decoded[position] += 1
        return photograph(finished, position)

    monkeypatch.setattr(FinishedRun, "photograph", counted)
    causes = read_causes(run)
    drawn = gallery_of(FinishedRun(run, str(lot)), causes)
    assert drawn.has_matches
    assert [len(drawn.cards), len(drawn.accepted), len(drawn.thumbnails)] == [5, 9, 14]
    assert all(cause.differences is not None for cause in causes.of_image.values())
    assert decoded == dict.fromkeys(range(14), 1)


def test_report_shows_strange_names_and_runs_none(page: Page) -> None:
    names = page.locator("tbody bdi").all_inner_texts()
    assert {MARKUP, QUOTES, EMPTY} <= set(names)
    assert page.locator("img[src='x']").count() == 0
    assert "caps <i>&amp;" in page.locator("header").inner_text()
    assert page.problems == []  # type: ignore[attr-defined]


def column(page: Page, number: int) -> list[str]:
    return [row.locator("td").nth(number).inner_text() for row in page.locator("#all tbody tr").all()]


def test_report_table_is_sorted_by_keyboard(page: Page) -> None:
    heading = page.get_by_role("columnheader", name="raw score")
    while page.evaluate("document.activeElement.textContent.trim()") != "raw score":
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement !== document.body"), "the heading must be reached by Tab"
    page.keyboard.press("Enter")
    ascending = [float(text) for text in column(page, 4)]
    assert ascending == sorted(ascending)
    assert heading.get_attribute("aria-sort") == "ascending"
    assert page.get_by_role("columnheader", name="rank").get_attribute("aria-sort") == "none"
    page.keyboard.press("Space")
    assert [float(text) for text in column(page, 4)] == ascending[::-1]
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.locator("#sorted").inner_text() == "Sorted by raw score, descending"


def test_report_table_sorts_names_as_text(page: Page) -> None:
    page.get_by_role("button", name="image").click()
    names = column(page, 2)
    assert [name for name in names if name[0].isdigit()] == [f"{number:02d}.png" for number in range(12)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_fits_a_phone(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_text("How to read this page").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    lightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, part) => sum + +part, 0)"
    assert (page.evaluate(lightness) > 384) == (scheme == "light")


def test_report_again_is_not_made_again(scored: tuple[ScoredLot, Path], lot: Path) -> None:
    done, output = scored
    threshold = read_record(Run(Store(str(output)), done.run)).decision.threshold
    before = (output / done.report).stat().st_mtime_ns
    again = done.model_copy(update={"reused": True, "created": ()})
    assert score(lot, output, threshold=threshold, suspects=0) == again
    assert (output / done.report).stat().st_mtime_ns == before


def test_each_warning_of_a_run_is_shown_once() -> None:
    from reports.notices import warnings_of

    warnings = (*cautions("texture"), "Not separable.", "Not separable.")
    assert warnings_of(record_of(job_of(), warnings=warnings), {}, []) == [*cautions("texture"), "Not separable."]


@pytest.mark.parametrize(("brightness", "said"), [([0.01, 0.05, 0.9], True), ([0.07, 0.07], False), ([np.nan], False)])
def test_nearly_black_photographs_are_told(brightness: list[float], said: bool) -> None:
    from reports.notices import dark

    assert bool(dark(float(np.median(brightness)))) == said


def broken(*given: Any) -> None:
    raise ValueError("planted fault")


def test_report_of_another_layout_is_made_anew(
    scored: tuple[ScoredLot, Path], lot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reports.page import run_files_specs as report_specs

    done, output = scored
    threshold = read_record(Run(Store(str(output)), done.run)).decision.threshold
    before = (output / done.report).stat().st_mtime_ns
    monkeypatch.setattr(report_specs, "templates_digest", lambda: "another")
    with monkeypatch.context() as patch:
        patch.setattr("tasks.report.render", broken)
        assert score(lot, output, threshold=threshold, suspects=0).report is None
    assert (output / done.report).stat().st_mtime_ns == before, "the old page went before there was a new one"
    again = done.model_copy(update={"reused": True, "created": ("page",)})
    assert score(lot, output, threshold=threshold, suspects=0) == again
    assert (output / done.report).stat().st_mtime_ns > before


def test_links_lead_to_where_the_review_site_was_last_started(scored: tuple[ScoredLot, Path], lot: Path) -> None:
    done, output = scored
    threshold = read_record(Run(Store(str(output)), done.run)).decision.threshold
    note_site(Store(str(output)), "http://127.0.0.1:9000/")
    text = (output / score(lot, output, threshold=threshold).report).read_text("utf-8")
    assert 'href="http://127.0.0.1:9000/lots/' in text
    assert "8420" not in text
    note_site(Store(str(output)), USUAL)
    score(lot, output, threshold=threshold)


def test_failing_report_never_loses_the_scores(
    lot: Path, scored: tuple[ScoredLot, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks import report

    monkeypatch.setattr(report, "page_values", broken)
    _, output = scored
    done = score(lot, output, threshold=0.0)
    assert done.report is None
    assert "planted fault" in done.problems[0]
    assert len(Run(Store(str(output)), done.run).scores()) == 14


def test_runs_are_compared_with_those_before(lot: Path, scored: tuple[ScoredLot, Path]) -> None:
    """Other images of the same category, later: the run before is counted, the same images scored twice are not."""
    _, output = scored
    other = lot.parent / "tonight"
    if not other.exists():
        write_lot(other, good_count=10, defective_count=0, size=128, seed=5)
    done = score(other, output, category=lot.name)
    page = (output / done.report).read_text("utf-8")
    assert "compared with 1 earlier night<" in page
    assert len(list((output / PROFILES).glob("*/*/profile.json"))) >= 3
    first = score(lot, output)
    assert "compared with 0 earlier nights" in (output / first.report).read_text("utf-8")


def test_maps_are_written_at_the_size_of_the_photographs(lot: Path, scored: tuple[ScoredLot, Path]) -> None:
    done, output = scored
    run = Run(Store(str(output)), done.run)
    threshold = read_record(run).decision.threshold
    for kind in ("tiff", "png"):
        assert score(lot, output, threshold=threshold, suspects=0, maps=kind).problems == ()
    for row in run.scores().itertuples():
        with Image.open(output / run.path / "maps-tiff" / f"{row.path}.tiff") as written:
            assert (written.mode, written.size) == ("F", (128, 128))
            assert np.asarray(written).max() == np.float32(row.raw_score)
        with Image.open(output / run.path / "maps-png" / f"{row.path}.overlay.png") as written:
            assert (written.mode, written.size) == ("RGB", (128, 128))
        mask = output / run.path / "maps-png" / f"{row.path}.mask.png"
        assert mask.exists() == (row.decision == "flagged")
        if mask.exists():
            pixels = np.asarray(Image.open(io.BytesIO(mask.read_bytes())))
            assert set(np.unique(pixels)) == {0, 255}
            assert pixels[row.peak_y, row.peak_x] == 255
