"""Escape file names and other untrusted text for the terminal."""

import io
import re
import sys

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Characters that drive a terminal, turn the direction of writing or have no width, instead of being shown."""


def visible(text: str) -> str:
    r"""Escape control characters, so that they are printed and take no effect.

    >>> visible("\x1b[31mred.png")
    '\\x1b[31mred.png'
    >>> visible("gnp\u202ered")
    'gnp\\u202ered'
    """
    return CONTROL.sub(lambda found: _escaped(ord(found[0])), text)


def _escaped(number: int) -> str:
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def replace_unprintable() -> None:
    """From now on print `?` for every character that the standard output's encoding lacks, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def literal(text: str) -> str:
    """A text for a console without emoji, shown as it is: neither control characters nor markup take effect."""
    from rich.markup import escape

    return escape(visible(text))
