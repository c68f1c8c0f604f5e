"""At which sizes photographs of a product are scored whose proportions are kept, so that all its nights are alike.

`sizes/<product and network>/<height>x<width>.json` is written when a lot is first scored at that size, and names it.
"""

import json
import re

from storage.store import Store

FOLDER = "sizes"
NAME = re.compile(r"(\d+)x(\d+)\.json")


def settle_size(store: Store, key: str, size: tuple[int, int], lot: str) -> None:
    """Note a size, if it is new; two lots that do so at once write the same.

    Args:
        key: digest of the product and of all that the size depends on.
        size: height and width in pixels.
        lot: name of the lot that settled it.
    """
    if size not in settled_sizes(store, key):
        store.write(f"{FOLDER}/{key}/{size[0]}x{size[1]}.json", json.dumps({"lot": lot}).encode())


def settled_sizes(store: Store, key: str) -> list[tuple[int, int]]:
    """The sizes noted so far, sorted."""
    names = (NAME.fullmatch(name) for name in store.sizes(f"{FOLDER}/{key}"))
    return sorted((int(match[1]), int(match[2])) for match in names if match)
