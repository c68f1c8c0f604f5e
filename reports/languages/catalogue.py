"""Catalogues of messages: `catalogues/<language>.po`, read at the first use; English needs none."""

import gettext
import hashlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from storage.results.run_files import Language

NAMES: dict[Language, str] = {"en": "English", "de": "Deutsch", "zh": "中文"}
"""Every language, as its speakers write it."""
TAGS: dict[Language, str] = {"en": "en", "de": "de", "zh": "zh-Hans"}
"""As documents and browsers name it (BCP 47)."""
SENTENCE = "sentence"
"""Comment of messages that the code writes as finished English sentences; see `reports.languages.sentences`."""
PLACE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Catalogue:
    """The messages of one language."""

    texts: Mapping[str, str] = field(default_factory=dict)
    """By the English message."""
    counted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Forms of messages that differ with a count, by the English one for 1."""
    form_of: Callable[[int], int] = lambda count: int(count != 1)
    """Which of the forms a count takes."""
    of_scripts: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """The messages that programs in the browser show."""
    sentences: tuple[str, ...] = ()
    """English messages that stand in records and errors with their values filled in."""

    def text(self, message: str) -> str:
        """A message in this language; the English one where it is not translated."""
        return self.texts.get(message, message)

    def counted_text(self, one: str, several: str, count: int) -> str:
        """The form of a message for a count."""
        forms = self.counted.get(one, (one, several))
        return forms[min(self.form_of(count), len(forms) - 1)]


@cache
def catalogue(language: Language) -> Catalogue:
    """The messages of a language."""
    return Catalogue() if language == "en" else parse_catalogue(language, catalogue_content(language))


def catalogue_content(language: Language) -> bytes:
    """The file of a language's messages; empty for English."""
    if language == "en":
        return b""
    return files("reports.languages").joinpath("catalogues", f"{language}.po").read_bytes()


def catalogue_digest(language: Language) -> str:
    """Changes with the messages of a language."""
    return hashlib.sha256(catalogue_content(language)).hexdigest()[:16]


def parse_catalogue(language: Language, content: bytes) -> Catalogue:
    """The messages in a file of the gettext format."""
    from babel.messages.pofile import read_po  # takes long to load, and English pages need none of it

    read = read_po(io.BytesIO(content), locale=language)
    texts: dict[str, str] = {}
    counted: dict[str, tuple[str, ...]] = {}
    of_scripts: dict[str, str | tuple[str, ...]] = {}
    sentences = []
    for message in read:
        if not message.id or not message.string:
            continue
        key = str(message.id if isinstance(message.id, str) else message.id[0])
        if isinstance(message.id, str):
            texts[key] = str(message.string)
        else:
            counted[key] = tuple(message.string)
        if any(place.endswith(".js") for place, _ in message.locations):
            of_scripts[key] = texts[key] if isinstance(message.id, str) else counted[key]
        if SENTENCE in message.auto_comments:
            sentences.append(key)
    form_of = gettext.c2py(read.plural_expr)
    return Catalogue(texts, counted, form_of, of_scripts, tuple(sentences))
