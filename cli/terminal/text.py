"""Escape file names and other untrusted text for the terminal."""

import io
import re
import sys

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Characters that drive a terminal instead of being shown."""


def visible(text: str) -> str:
    r"""Escape control characters, so that they are printed and take no effect.

    >>> visible("\x1b[31mred.png")
    '\\x1b[31mred.png'
    """
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def replace_unprintable() -> None:
    """From now on print `?` for every character that the standard output's encoding lacks, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def literal(text: str) -> str:
    """A text for rich, shown as it is: neither control characters nor markup take effect."""
    from rich.markup import escape

    return escape(visible(text))
