"""The kinds of defects of a product: as a browser sends them, as a page shows them."""

import logging
from threading import Lock
from typing import TypedDict

from storage.errors import DamagedError, FormatVersionError
from storage.given_names import one_form
from storage.products.defect_kinds import DefectKind, DefectKinds, add_kinds, latest_kinds_file, read_kinds
from storage.results.append_only_files import now, time_after
from storage.store import Store
from web.judging.form import sent_object, text_of
from web.product.ignored_places import OutdatedError

log = logging.getLogger(__name__)

SAVING = Lock()
"""Held from looking which list counts until the next one counts: of two saved at once the second is refused."""


class KindsValues(TypedDict):
    """What a page needs to know of the kinds of a product."""

    saved: str
    """Which list counts; empty where there is none."""
    listed: list[DefectKind]
    colours: dict[str, str]
    """By name."""
    name: str
    """Who saved the list."""
    time: str


def kinds_values(store: Store, category: str) -> KindsValues:
    """The kinds of a product as pages show them."""
    path, kinds = kinds_of(store, category)
    if kinds is None:
        return {"saved": path, "listed": [], "colours": {}, "name": "", "time": ""}
    colours = {kind.name: kind.colour for kind in kinds.kinds}
    return {"saved": path, "listed": list(kinds.kinds), "colours": colours, "name": kinds.name, "time": kinds.time}


def kinds_of(store: Store, category: str) -> tuple[str, DefectKinds | None]:
    """Where the list of a product that counts lies in the store, and the list.

    One that is damaged is None, with a warning: pages open, and a new list can replace it.
    """
    path = latest_kinds_file(store, category)
    try:
        return path, read_kinds(store, path) if path else None
    except (DamagedError, FormatVersionError, FileNotFoundError) as error:
        log.warning("kinds of defects are not shown: %s", error)
        return path, None


def save_kinds(store: Store, body: bytes, category: str) -> str:
    """Store the list of kinds in the body of a request, and return which list counts then.

    Raises:
        ValueError: if it is no JSON object, or a field is out of range, by name.
        OutdatedError: if the page did not know the last list of somebody else.
    """
    sent = sent_object(body)
    listed = sent.get("kinds")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise ValueError("kinds must be a list of objects, got something else; reload the page")
    kinds = tuple(sent_kind(one) for one in listed)
    with SAVING:
        path, saved = kinds_of(store, category)
        if text_of(sent, "saved") != path:
            author = saved.name if saved else "somebody"
            raise OutdatedError(
                f"{author} saved other kinds of {category} meanwhile; reload the page and change them again"
            )
        time = time_after(saved.time if saved else "", now())
        return add_kinds(store, DefectKinds(category, kinds, text_of(sent, "name").strip(), time))


def sent_kind(sent: dict[str, object]) -> DefectKind:
    """A kind as it was typed.

    Raises:
        ValueError: if a field is no text, or out of range, by name.
    """
    name, key, colour, description = (
        text_of(sent, field).strip() for field in ("name", "key", "colour", "description")
    )
    return DefectKind(one_form(name), key, colour.lower(), description)
