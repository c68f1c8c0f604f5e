"""The site in other languages: which one a browser gets, and that every sentence is one of the catalogue."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from reports.languages import current
from reports.languages.catalogue import Catalogue, catalogue
from storage.store import Store
from tests.web.accessible import serious
from tests.web.visiting import Visitor, give
from web.app import create_app

Visit = Callable[..., Visitor]
OPENING, CLOSING = "⟦", "⟧"
GERMAN, CHINESE = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}, {"Accept-Language": "zh-CN"}


class Marked(Catalogue):
    """A catalogue that shows which text of a page comes from it."""

    def text(self, message: str) -> str:
        """The translation between marks."""
        return f"{OPENING}{super().text(message)}{CLOSING}"

    def counted_text(self, one: str, several: str, count: int) -> str:
        """The same of a message that differs with a count."""
        return f"{OPENING}{super().counted_text(one, several, count)}{CLOSING}"


class Words(HTMLParser):
    """Collects what a page shows or says and is neither data nor between marks."""

    DATA = ("bdi", "code", "kbd", "script", "style", "title")
    SAID = ("aria-label", "alt", "title", "placeholder")

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.text += [f"{value}\n" for name, value in attrs if name in self.SAID and value]
        if tag not in ("meta", "link", "img", "input", "br", "wbr", "hr", "source", "path", "circle", "line", "rect"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        while tag in self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """A text of an element."""
        if not set(self.DATA) & set(self.inside):
            self.text.append(data)


def unmarked(page: str) -> set[str]:
    """What stands outside of marks, in pieces that hold a word."""
    words = Words()
    words.feed(page)
    depth, rest = 0, ""
    for sign in "".join(words.text):
        depth += (sign == OPENING) - (sign == CLOSING)
        rest += sign if depth == 0 and sign not in (OPENING, CLOSING) else "\n" if sign in (OPENING, CLOSING) else ""
    return {piece.strip() for piece in rest.split("\n") if re.search(r"[A-Za-z]{2}", piece)}


@pytest.fixture
def addresses(lot_name: str, image_ids: list[str]) -> list[str]:
    """Every kind of page."""
    lot = f"/lots/{lot_name}"
    pages = [
        "/",
        lot,
        f"{lot}?view=table",
        f"{lot}/pull",
        f"{lot}/images/{image_ids[0]}",
        f"{lot}/images/{image_ids[-1]}",
    ]
    return [*pages, "/lots/absent"]


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """German between marks."""
    known = catalogue("de")
    shown = Marked(known.texts, known.counted, known.form_of, known.of_scripts, known.sentences)
    monkeypatch.setattr(current, "catalogue", lambda code: shown)


@pytest.mark.usefixtures("marked")
def test_every_sentence_of_every_page_is_one_of_the_catalogue(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], addresses: list[str]
) -> None:
    give(client, lot_name, image_ids[0], "defective")
    known = {*(text for text in catalogue("de").texts.values()), "EnglishDeutsch中文", store.url}
    for address in addresses:
        found = unmarked(client.get(address, headers=GERMAN).text)
        strange = {text for text in found - known if re.search(r"[a-z]{3} [a-z]", text)}
        assert strange == set(), address


@pytest.mark.parametrize(("asked", "tag"), [(GERMAN, "de"), (CHINESE, "zh-Hans"), ({"Accept-Language": "fr"}, "en")])
def test_browser_gets_its_language(client: TestClient, asked: dict[str, str], tag: str) -> None:
    got = client.get("/", headers=asked)
    assert f'<html lang="{tag}">' in got.text
    assert got.headers["Content-Language"] == tag
    assert "Accept-Language" in got.headers["Vary"]


def test_chosen_language_is_kept_and_a_wrong_one_is_not(client: TestClient) -> None:
    assert '<html lang="zh-Hans">' in client.get("/?language=zh", headers=GERMAN).text
    assert '<html lang="zh-Hans">' in client.get("/", headers=GERMAN).text, "kept by the browser"
    for wrong in ("fr", "../de", "de\r\nSet-Cookie: a=b", "<script>"):
        got = client.get("/", params={"language": wrong}, headers=GERMAN)
        assert '<html lang="zh-Hans">' in got.text
        assert "set-cookie" not in got.headers


def test_language_of_the_site_goes_before_that_of_the_browser(store: Store) -> None:
    with TestClient(create_app(store, language="de"), base_url="http://localhost") as client:
        assert '<html lang="de">' in client.get("/", headers=CHINESE).text
        assert '<html lang="en">' in client.get("/?language=en", headers=CHINESE).text


@pytest.mark.parametrize(
    ("locale", "defective", "stored"), [("de-DE", "fehlerhaft", "Gespeichert"), ("zh-CN", "有缺陷", "已保存")]
)
@pytest.mark.parametrize("width", [1280, 390])
def test_image_is_judged_in_each_language(
    visit: Visit, site: str, lot_name: str, image_ids: list[str], locale: str, defective: str, stored: str, width: int
) -> None:
    faults = {}
    for address in ("/", f"/lots/{lot_name}", f"/lots/{lot_name}/images/{image_ids[0]}"):
        visitor = visit(site + address, locale=locale, viewport={"width": width, "height": 844})
        visitor.page.wait_for_load_state("networkidle")
        wide = "document.documentElement.scrollWidth > innerWidth"
        assert not visitor.page.evaluate(wide), f"{address} is wider than the window"
        if width == 1280 and (found := serious(visitor.page)):
            faults[address] = found
    assert faults == {}
    visitor.page.keyboard.press("d")
    expect(visitor.page.locator("#said")).to_contain_text(stored)
    expect(visitor.page.locator("#said")).to_contain_text(defective)
    assert visitor.problems == []
