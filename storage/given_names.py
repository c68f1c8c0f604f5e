"""Names that people gave: compared as people see them, and made into names of files short enough for any disk."""

import hashlib
import unicodedata

PRODUCTS = "products"
"""The folder of a store that holds settings accepted for products."""
SIGN = ".musc-store"
"""A file in the root of every store that results are written to: photographs are not looked for below it."""
MAX_NAME_BYTES = 200
"""Disks hold 255 bytes; a name grows by up to 50 while its file or folder is written aside."""
DIGEST_DIGITS = 16


def one_form(name: str) -> str:
    """A name in the one form in which names are compared: macOS and others write `ü` as `u` and two dots.

    >>> one_form("Gehäuse") == one_form("Geha\u0308use"), len(one_form("a\u0308"))
    (True, 1)
    """
    return unicodedata.normalize("NFC", name)


def caseless(text: str) -> str:
    """A text as it is searched for: in one form, small and large letters alike.

    >>> caseless("GEHÄUSE") == caseless("geha\u0308use")
    True
    """
    return one_form(one_form(text).casefold())


def short_name(name: str, ending: str = "") -> str:
    """A name with an ending, kept as it is where it is short enough.

    Longer ones become their beginning, `~` and a digest of the whole name, so that two never become the same.

    Args:
        name: without `/`, in any script.
        ending: follows the name, and is never cut.

    Returns:
        At most 200 bytes of UTF-8.

    >>> short_name("bolt 7.png", ".tiff")
    'bolt 7.png.tiff'
    >>> short_name("0" * 300, ".tiff")[-30:]
    '00000000~b384feb94474000a.tiff'
    """
    encoded = name.encode()
    if len(encoded) + len(ending.encode()) <= MAX_NAME_BYTES:
        return name + ending
    sign = f"~{name_digest(name)}{ending}"
    return encoded[: MAX_NAME_BYTES - len(sign.encode())].decode(errors="ignore") + sign


def name_digest(name: str) -> str:
    """16 hexadecimal digits that stand for a name."""
    return hashlib.sha256(name.encode()).hexdigest()[:DIGEST_DIGITS]
