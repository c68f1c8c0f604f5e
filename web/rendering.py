"""Pages from templates: everything escaped, a missing name is an error, addresses made in one place."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from tasks.reporting.html import shown_score


def page(template: str, **values: Any) -> str:
    """A page of the site as HTML.

    Raises:
        jinja2.UndefinedError: if a value the template names is missing.
    """
    return environment().get_template(template).render(**values)


@cache
def environment() -> Environment:
    """The templates of this package."""
    made = Environment(
        loader=PackageLoader("web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(score=shown_score, percent=percent, counted=counted, moment=moment, shown_short=shown_short)
    made.globals.update(lot_address=lot_address, image_address=image_address)
    return made


def lot_address(name: str, rest: str = "", query: str = "") -> str:
    """Where a lot is shown.

    >>> lot_address("caps <i>", "scores.json")
    '/lots/caps%20%3Ci%3E/scores.json'
    """
    return f"/lots/{quote(name, safe='')}{f'/{rest}' if rest else ''}{f'?{query}' if query else ''}"


def image_address(name: str, row: Mapping[str, Any] | str, rest: str = "", query: str = "") -> str:
    """Where an image of a lot is shown, named by its id or its row."""
    image_id = row if isinstance(row, str) else str(row["image_id"])
    return lot_address(name, f"images/{quote(image_id, safe='')}{f'/{rest}' if rest else ''}", query)


def percent(part: float | None) -> str:
    """A fraction in percent; a dash for what is not known.

    >>> percent(0.123), percent(None)
    ('12 %', '–')
    """
    return "–" if part is None else f"{100 * part:.0f} %"


def shown_short(value: float) -> str:
    """Three digits that count.

    >>> shown_short(20.0), shown_short(0.38412)
    ('20', '0.384')
    """
    return f"{value:.3g}"


def counted(count: int, one: str, many: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "image"), counted(1200, "image")
    ('1 image', '1,200 images')
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def moment(time: str) -> str:
    """A recorded UTC time as people read it before the browser shows it in local time.

    >>> moment("2026-11-21T04:05:06.000007+00:00")
    '2026-11-21 04:05 UTC'
    """
    return f"{time[:16].replace('T', ' ')} UTC"
