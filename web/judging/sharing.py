"""Two people share a lot: which image one opens, which comes next, and who else has it open."""

import re
from urllib.parse import parse_qsl

import pandas as pd

from reports.languages.current import gettext as _
from storage.results.verdicts import MAX_NAME
from web.judging.claims import Claims
from web.judging.form import text_of
from web.judging.steps import steps_of
from web.lot import Lot
from web.lot_page import with_verdicts
from web.view_query import Query

READER = re.compile(r"[0-9a-f]{16}")
MAX_VIEW = 2000
"""Characters of an address."""


def claim_next(claims: Claims, lot: Lot, verdicts: pd.DataFrame, sent: dict[str, object]) -> dict[str, object]:
    """Give a reader an image of a view, and keep the next one for the same reader.

    Args:
        verdicts: every verdict about the lot.
        sent: `reader`, `name`, `view` as in an address, and the `image` that is open; empty for the first free one.

    Returns:
        As plain JSON values `image` and `next`, None where there is none; `others` who have it open, each with `name`
        and `seconds`; `done` and `total` of the view.

    Raises:
        ValueError: if a value is out of range, by name.
    """
    reader, name, view, image = (text_of(sent, field) for field in ("reader", "name", "view", "image"))
    if not READER.fullmatch(reader):
        raise ValueError("reader must have 16 hexadecimal digits; reload the page")
    if len(name) > MAX_NAME or len(view) > MAX_VIEW:
        raise ValueError(f"name must have at most {MAX_NAME} characters, and view {MAX_VIEW}; shorten them")
    if image and image not in lot.positions:
        raise ValueError(f"image must be a scored image of the lot, got {image[:80]!r}; reload the page")
    steps = steps_of(with_verdicts(lot, verdicts), Query.of(dict(parse_qsl(view))))

    def choose(taken: set[str]) -> tuple[str, ...]:
        opened = image or steps.next("", taken)
        following = steps.next(opened, taken) if opened else None
        return tuple(one for one in (opened, following) if one)

    held, others = claims.hold(lot.run.path, reader, name.strip(), choose)
    opened, following = (*held, None, None)[:2]
    return {
        "image": opened,
        "next": following,
        "others": [{"name": claim.name or _("Somebody"), "seconds": claims.seconds(claim)} for claim in others],
        "done": len(steps.judged),
        "total": len(steps.ids),
    }
