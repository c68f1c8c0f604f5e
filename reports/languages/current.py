"""The language that is spoken: English, unless a page is being made in another one.

It is a value of the context, so that each request has its own and threads started by it inherit it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from reports.languages.catalogue import NAMES, TAGS, catalogue
from storage.results.run_files import Language

_LANGUAGE: ContextVar[Language] = ContextVar("language", default="en")


def language() -> Language:
    """The code of the language that is spoken."""
    return _LANGUAGE.get()


def language_tag() -> str:
    """The same as documents and browsers name it."""
    return TAGS[language()]


@contextmanager
def speaking(code: Language) -> Iterator[None]:
    """Speak a language in the `with` block.

    Raises:
        ValueError: if there is no such language.
    """
    if code not in NAMES:
        raise ValueError(f"language must be one of {', '.join(NAMES)}, got {code!r}; use one of them")
    before = _LANGUAGE.set(code)
    try:
        yield
    finally:
        _LANGUAGE.reset(before)


def gettext(message: str, /, **values: object) -> str:
    """A message in the language that is spoken.

    Args:
        message: English, with `%(name)s` for each value, and `%%` for a percent sign.
        values: what stands for the names; numbers are written as `reports.languages.numbers` writes them.

    >>> gettext("From %(score)s on", score="0.1")
    'From 0.1 on'
    """
    return lookup(message) % values


def ngettext(one: str, several: str, count: int, /, **values: object) -> str:
    """A message that differs with a count.

    Args:
        one: the message for one thing.
        several: that for several.
        count: which decides between them; it does not appear by itself.
    """
    return lookup_counted(one, several, count) % values


def lookup(message: str) -> str:
    """A message in the language that is spoken, its values not yet filled in; templates do that, and escape them."""
    return catalogue(language()).text(message)


def lookup_counted(one: str, several: str, count: int) -> str:
    """The same of a message that differs with a count."""
    return catalogue(language()).counted_text(one, several, count)


def mark(message: str) -> str:
    """Mark a message that stands in a table or a constant; it is translated where it is shown."""
    return message


def mark_counted(one: str, several: str) -> tuple[str, str]:
    """Mark a message that differs with a count, for the same purpose."""
    return one, several
