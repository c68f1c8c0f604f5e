"""A verdict, and whatever else a browser sends: read within limits, checked, and completed with what the run knows."""

import json
import re
from typing import Any, NamedTuple

from fastapi import Request

from storage.given_names import one_form
from storage.images.drawn_shapes import DrawnShape, regions_of
from storage.products.defect_kinds import latest_kinds
from storage.results.verdicts import Verdict
from web.lot import Lot

TOKEN = re.compile(r"[0-9a-f]{16}")
MAX_BODY = 512 * 1024
"""Bytes of one request."""


class TooLargeError(ValueError):
    """The request is longer than any verdict."""


async def read_limited(request: Request) -> bytes:
    """The body of a request, of which no more than the limit is ever read.

    Raises:
        TooLargeError: if it is longer.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise TooLargeError(f"a request must have at most {MAX_BODY:,} bytes; shorten the note or the drawing")
        parts.append(part)
    return b"".join(parts)


def sent_object(body: bytes) -> dict[str, object]:
    """The JSON object in the body of a request, with a list of `regions` where it has any.

    Raises:
        ValueError: if it is none.
    """
    try:
        sent: Any = json.loads(body)
    except ValueError:
        raise ValueError("what is sent must be JSON, got something else; reload the page") from None
    if not isinstance(sent, dict) or not isinstance(sent.get("regions", []), list):
        raise ValueError("what is sent must be a JSON object, got something else; reload the page")
    return sent


def text_of(sent: dict[str, object], name: str) -> str:
    """A text in a sent object; empty where it is not there.

    Raises:
        ValueError: if it is none, or holds half of a character.
    """
    value = sent.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, got {type(value).__name__}; reload the page")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError(f"{name} must be text, got half of a character; type it again")
    return value


class Said(NamedTuple):
    """What a person said, as it was typed."""

    verdict: str
    name: str
    note: str
    kind: str
    """One of the product's list, or empty."""
    severity: str


def said_in(sent: dict[str, object], lot: Lot) -> Said:
    """What a person said in a sent object about images of a lot.

    Raises:
        ValueError: if a field is no text, by name, or the kind is none of the product's.
        FormatVersionError, DamagedError: if the product's kinds cannot be read.
    """
    verdict, name, note, kind, severity = (
        text_of(sent, field).strip() for field in ("verdict", "name", "note", "kind", "severity")
    )
    if kind:
        kind = listed_kind(lot, kind)
    return Said(verdict, name, note, kind, severity)


def listed_kind(lot: Lot, kind: str) -> str:
    """The name of a kind as the list of a lot's product has it.

    Raises:
        ValueError: if the list has none of this name.
    """
    category = str(lot.record.job.category)
    listed, name = [one.name for one in latest_kinds(lot.run.store, category)], one_form(kind)
    if not listed:
        raise ValueError(
            f"kind must be empty as long as {category} has no list of kinds, got {kind[:40]!r}; list it first"
        )
    if name not in listed:
        raise ValueError(
            f"kind must be one of {', '.join(listed)}, got {kind[:40]!r}; choose one of them, or add it to the list of "
            f"{category}"
        )
    return name


def token_in(sent: dict[str, object]) -> str:
    """The token of a sender who may send the same again, see `VerdictReader.add`; empty where there is none.

    Raises:
        ValueError: if it is no token.
    """
    token = text_of(sent, "token")
    if token and not TOKEN.fullmatch(token):
        raise ValueError("token must have 16 hexadecimal digits; reload the page")
    return token


def verdict_from(body: bytes, lot: Lot, position: int) -> tuple[Verdict, str]:
    """The verdict in the body of a request, and the sender's token.

    Raises:
        ValueError: if it is no JSON object, or a field is out of range, by name.
    """
    sent, image = sent_object(body), lot.images[position]
    regions = regions_of(sent.get("regions", []))
    clipped = tuple(clip_region(region, image.width, image.height) for region in regions)
    return verdict_about(lot, position, said_in(sent, lot), regions=clipped), token_in(sent)


def verdict_about(
    lot: Lot,
    position: int,
    said: Said,
    *,
    regions: tuple[DrawnShape, ...] = (),
    at_once: int = 1,
    looked: bool = True,
) -> Verdict:
    """A verdict about an image, with what its run says of it; the other values are those of `Verdict`.

    Raises:
        ValueError: if a value is out of range, by name.
    """
    image, row = lot.images[position], lot.table.iloc[position]
    return Verdict(
        run=lot.run.path,
        image_id=image.image_id,
        path=image.path,
        sha256=image.sha256,
        category=str(lot.record.job.category),
        raw_score=float(row["raw_score"]),
        decision=str(row["decision"]),
        **said._asdict(),
        regions=regions,
        at_once=at_once,
        looked=looked,
    )


def clip_region(region: DrawnShape, width: int, height: int) -> DrawnShape:
    """A region within the image, to a tenth of a pixel.

    Raises:
        ValueError: if nothing of it lies in the image.
    """
    left, top, right, bottom = region.bounds
    if left >= width or top >= height or right <= left or bottom <= top:
        raise ValueError(f"a region must lie in the image of {width} × {height} pixels; draw it again")
    points = tuple((round(min(x, width), 1), round(min(y, height), 1)) for x, y in region.points)
    return DrawnShape(region.shape, points)
