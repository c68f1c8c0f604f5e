"""Pages of the site from its templates."""

from functools import cache, partial
from typing import Any

from jinja2 import Environment

from reports.description import sizes_in_words
from reports.languages.current import gettext as _
from reports.languages.numbers import moment, number, short_day
from reports.page.html import image_address, lot_address, templates_of
from reports.run_record import RunRecord


def page(template: str, root: str, **values: Any) -> str:
    """A page of the site as HTML.

    Args:
        root: what every link to the site begins with; ends with `/`.
        values: what the template names; texts are escaped by it.

    Raises:
        jinja2.UndefinedError: if a value the template names is missing.
    """
    links = {"lot_address": partial(lot_address, root), "image_address": partial(image_address, root)}
    return environment().get_template(template).render(root=root, **links, **values)


@cache
def environment() -> Environment:
    """The templates of this package."""
    templates = templates_of("web")
    templates.filters.update(percent=percent, moment=moment, shown_short=shown_short, network=network)
    templates.filters["short_day"] = short_day
    return templates


def network(record: RunRecord) -> str:
    """With which network a lot was scored, and at which sizes in pixels."""
    return f"{record.job.backbone.name}, {sizes_in_words(record.job).replace(' x ', ' × ')}"


def percent(part: float | None) -> str:
    """A fraction in percent; a dash for what is not known.

    >>> percent(0.123), percent(None)
    ('12 %', '–')
    """
    return "–" if part is None else _("%(number)s %%", number=number(100 * part, ".0f"))


def shown_short(value: float) -> str:
    """Three digits that count.

    >>> shown_short(20.0), shown_short(0.38412)
    ('20', '0.384')
    """
    return number(value, ".3g")
