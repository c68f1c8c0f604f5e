"""The kinds of defects that people tell apart on a product, append-only: the latest file counts.

`kinds/<product>/<time>-<random>.json` holds one JSON object, the whole list as one person saved it. Verdicts keep the
name of their kind; one that is no longer listed is given to no further image.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from storage.given_names import caseless, one_form
from storage.results.append_only_files import add_dated, dated_files, latest_dated, now, read_dated
from storage.results.verdicts import CHOICES, MAX_KIND, MAX_NAME
from storage.store import Store

FOLDER = "kinds"
FORMAT_VERSION = 1
MAX_KINDS, MAX_DESCRIPTION = 30, 300
"""Kinds of a product; characters of a description."""
KEYS = tuple("123456789")
COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class DefectKind:
    """One kind of defect."""

    name: str
    """Such as `scratch`; 1 to 40 characters, of which one is a letter or a digit."""
    key: str = ""
    """1 to 9, that judges an image on the site; empty for none."""
    colour: str = "#808080"
    """Of its dots and lines, `#rrggbb`."""
    description: str = ""
    """How people know it; at most 300 characters."""

    def __post_init__(self) -> None:
        """Refuse what cannot be shown, exported or pressed.

        Raises:
            ValueError: naming the field, its rule and what was given.
        """
        name = self.name
        if not 1 <= len(name) <= MAX_KIND or name != one_form(name.strip()) or not name.isprintable():
            raise ValueError(
                f"kind must be named by 1 to {MAX_KIND} characters in one line, got {name[:80]!r}; rename it"
            )
        if not any(sign.isalnum() for sign in name):
            raise ValueError(f"kind must have a letter or a digit in its name, got {name!r}; rename it")
        if caseless(name) in CHOICES:
            raise ValueError(f"kind must be called otherwise than a verdict, got {name!r}; rename it")
        if self.key and self.key not in KEYS:
            raise ValueError(f"key must be one of 1 to 9, or empty, got {self.key[:20]!r} for {name}; choose another")
        if not COLOUR.fullmatch(self.colour):
            raise ValueError(f"colour must be written as #rrggbb, got {self.colour[:20]!r} for {name}; choose another")
        if len(self.description) > MAX_DESCRIPTION:
            raise ValueError(
                f"description must have at most {MAX_DESCRIPTION} characters, got {len(self.description)} for {name}; "
                "shorten it"
            )


@dataclass(frozen=True)
class DefectKinds:
    """All kinds of a product, as one person saved them."""

    category: str
    kinds: tuple[DefectKind, ...]
    name: str
    """Who saved them."""
    time: str = field(default_factory=now)
    """UTC, ISO 8601 with microseconds."""

    def __post_init__(self) -> None:
        """Refuse a list in which two kinds cannot be told apart.

        Raises:
            ValueError: naming the field, its rule and what was given.
        """
        if not self.name.strip() or len(self.name) > MAX_NAME:
            raise ValueError(
                f"name must have 1 to {MAX_NAME} characters, got {len(self.name)}; say who saves the kinds"
            )
        if len(self.kinds) > MAX_KINDS:
            raise ValueError(f"a product must have at most {MAX_KINDS} kinds, got {len(self.kinds)}; remove some")
        if twice := repeated(caseless(kind.name) for kind in self.kinds):
            raise ValueError(f"kinds must have names of their own, got {twice!r} twice; rename one")
        if twice := repeated(kind.key for kind in self.kinds if kind.key):
            raise ValueError(f"kinds must have keys of their own, got {twice} twice; give one of them another key")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(kind.name for kind in self.kinds)


def repeated(texts: Iterable[str]) -> str:
    """The first text that came before; empty if there is none.

    >>> repeated(["1", "2", "1"]), repeated("12")
    ('1', '')
    """
    seen: set[str] = set()
    return next((text for text in texts if text in seen or seen.add(text)), "")  # type: ignore[func-returns-value]


def add_kinds(store: Store, kinds: DefectKinds) -> str:
    """Store a list as a file of its own, which counts from now on, and return its path in the store."""
    return add_dated(store, f"{FOLDER}/{kinds.category}", kinds.time, asdict(kinds), FORMAT_VERSION)


def latest_kinds_file(store: Store, category: str) -> str:
    """Path of the list of a product that counts; empty where none was ever saved."""
    return latest_dated(store, f"{FOLDER}/{category}")


def read_kinds(store: Store, path: str) -> DefectKinds:
    """A saved list.

    Raises:
        FormatVersionError: if another release wrote it.
        DamagedError: if the file holds something else.
    """

    def kinds_of(fields: Mapping[str, Any]) -> DefectKinds:
        return DefectKinds(**{**fields, "kinds": tuple(DefectKind(**kind) for kind in fields["kinds"])})

    return read_dated(store, path, FORMAT_VERSION, kinds_of, "the kinds of defects of a product")


def latest_kinds(store: Store, category: str) -> tuple[DefectKind, ...]:
    """The kinds of a product in the order of its list; errors are those of `read_kinds`."""
    path = latest_kinds_file(store, category)
    return read_kinds(store, path).kinds if path else ()


def kinds_ever_listed(store: Store, category: str) -> tuple[str, ...]:
    """Names of all kinds that a product ever had, in the order in which they were first listed.

    A kind keeps its place here whatever happens to the list later, so that its number in exports is always the same.
    """
    files = dated_files(store, f"{FOLDER}/{category}")
    return tuple(dict.fromkeys(name for path in files for name in read_kinds(store, path).names))
