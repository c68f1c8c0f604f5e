"""Where the review site of a store was last shown, so that reports lead to it: `site.json`."""

import json
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.store import Store

log = logging.getLogger(__name__)

FILE = "site.json"
USUAL_PORT = 8420
USUAL = f"http://127.0.0.1:{USUAL_PORT}/"
"""Where `musc web` shows it unless told otherwise."""


def note_site(store: "Store", address: str) -> None:
    """Remember the site's address for reports that are written from now on; a store that cannot be written does not.

    Args:
        address: what a browser opens, without a token; ends with `/`.
    """
    if address == read_site(store):
        return
    try:
        store.write(FILE, json.dumps({"address": address}).encode())
    except OSError as error:
        log.info("the site's address was not noted: %s", error)


def read_site(store: "Store") -> str:
    """The address of the review site: the last one noted, else the usual one; ends with `/`."""
    try:
        address = json.loads(store.read(FILE))["address"]
    except FileNotFoundError:
        return USUAL
    except (ValueError, TypeError, KeyError):
        log.warning("%s in %s is no address of a site and is not used", FILE, store.url)
        return USUAL
    return address if isinstance(address, str) and address.startswith(("http://", "https://")) else USUAL
