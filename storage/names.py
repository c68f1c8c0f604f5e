"""Names of files and folders that are made from names people gave, short enough for any disk."""

import hashlib

MAX_NAME_BYTES = 200
"""Disks hold 255 bytes; a name grows by up to 50 while its file or folder is written aside."""
DIGEST_DIGITS = 16


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
