"""Where the review site was last shown."""

from pathlib import Path

import pytest

from storage.results.site_address import FILE, USUAL, note_site, read_site
from storage.store import Store


def test_reports_are_told_the_last_address(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert read_site(store) == USUAL
    note_site(store, USUAL)
    assert not (tmp_path / FILE).exists(), "nothing is written that is so anyway"
    note_site(store, "https://factory.example/review/")
    assert read_site(store) == "https://factory.example/review/"
    note_site(store, USUAL)
    assert read_site(store) == USUAL


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"{}", b'{"address": 7}', b'{"address": "javascript:alert(1)"}'])
def test_damaged_address_is_not_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert read_site(Store(str(tmp_path))) == USUAL


def test_store_that_cannot_be_written_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Store, "write", refused)
    note_site(Store(str(tmp_path)), "http://127.0.0.1:9000/")
