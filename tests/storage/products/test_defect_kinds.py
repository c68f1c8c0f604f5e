"""Lists of kinds are only ever added; the latest counts, and each kind keeps its number."""

from pathlib import Path

import pytest

from storage.errors import DamagedError
from storage.products.defect_kinds import (
    MAX_KINDS,
    DefectKind,
    DefectKinds,
    add_kinds,
    kinds_ever_listed,
    latest_kinds,
)
from storage.store import Store

SCRATCH = DefectKind("scratch", "1", "#d55e00", "a line")
DENT, STAIN = DefectKind("dent", "2"), DefectKind("Fleck 污渍 <b>", "")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def test_latest_list_counts_as_it_was_given(store: Store) -> None:
    assert latest_kinds(store, "cap") == ()
    add_kinds(store, DefectKinds("cap", (SCRATCH,), "Ada"))
    add_kinds(store, DefectKinds("cap", (STAIN, SCRATCH), "Ben"))
    add_kinds(store, DefectKinds("bolt", (DENT,), "Ben"))
    assert latest_kinds(store, "cap") == (STAIN, SCRATCH)


def test_kind_keeps_its_number_though_it_is_moved_or_removed(store: Store) -> None:
    add_kinds(store, DefectKinds("cap", (SCRATCH, DENT), "Ada"))
    add_kinds(store, DefectKinds("cap", (STAIN, DENT), "Ada"))
    add_kinds(store, DefectKinds("cap", (STAIN, DENT, SCRATCH), "Ada"))
    assert kinds_ever_listed(store, "cap") == ("scratch", "dent", STAIN.name)


def test_damaged_list_is_named(store: Store) -> None:
    path = add_kinds(store, DefectKinds("cap", (SCRATCH,), "Ada"))
    store.write(path, b'{"format_version": 1, "kinds": 7}')
    with pytest.raises(DamagedError, match="must hold the kinds of defects of a product"):
        latest_kinds(store, "cap")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "kind must be named by 1 to 40 characters in one line, got ''"),
        ("name", "x" * 41, "kind must be named by 1 to 40 characters"),
        ("name", "two\nlines", "in one line"),
        ("name", " dent", "in one line"),
        ("name", "turned\u202eround", "in one line"),
        ("name", "–", "kind must have a letter or a digit in its name"),
        ("name", "Good", "kind must be called otherwise than a verdict, got 'Good'"),
        ("key", "0", "key must be one of 1 to 9, or empty, got '0' for dent"),
        ("key", "d", "key must be one of 1 to 9"),
        ("colour", "red", "colour must be written as #rrggbb, got 'red' for dent"),
        ("colour", "#12345g", "colour must be"),
        ("description", "x" * 301, "description must have at most 300 characters, got 301 for dent"),
    ],
)
def test_kind_that_cannot_be_used_is_refused(field: str, value: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DefectKind(**{"name": "dent", field: value})


@pytest.mark.parametrize(
    ("kinds", "name", "said"),
    [
        ((SCRATCH, DefectKind("SCRATCH")), "Ada", "kinds must have names of their own, got 'scratch' twice"),
        ((SCRATCH, DefectKind("dent", "1")), "Ada", "kinds must have keys of their own, got 1 twice"),
        (tuple(DefectKind(f"kind {n}") for n in range(MAX_KINDS + 1)), "Ada", "at most 30 kinds, got 31"),
        ((), " ", "name must have 1 to 80 characters, got 1; say who saves the kinds"),
    ],
)
def test_list_whose_kinds_cannot_be_told_apart_is_refused(kinds: tuple[DefectKind, ...], name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DefectKinds("cap", kinds, name)
