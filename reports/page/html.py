"""Rendering of the report's page: everything escaped, everything inside one file, nothing it may fetch or run besides.

A content security policy in the page itself forbids every request and any script but the page's own, so that not even
a file name that slipped through as markup could do something.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.languages.catalogue import catalogue
from reports.languages.current import gettext, language, language_tag, lookup, lookup_counted
from reports.languages.numbers import day, local_moment, number
from reports.languages.sentences import translated
from reports.sentences import counted, p_text

PAGE, STYLE, SCRIPT = "report.html.j2", "report.css", "report.js"


def render(values: Mapping[str, Any]) -> str:
    """The page of a report, as HTML.

    Args:
        values: what the template `reports/page/templates/report.html.j2` names; texts are escaped by it.

    Raises:
        jinja2.UndefinedError: if a value the template names is missing.
    """
    script = source(SCRIPT)
    page = environment().get_template(PAGE)
    # Only this project's own files go in unescaped.
    style, own_script = Markup(source(STYLE)), Markup(script)  # nosec B704
    return page.render(**values, style=style, script=own_script, script_digest=sha256(script))


@cache
def environment() -> Environment:
    """The templates of this package."""
    templates = templates_of("reports.page")
    templates.filters["local_time"] = local_moment
    return templates


def templates_of(package: str) -> Environment:
    """The templates of a package: everything is escaped; a name that is missing is an error, never an empty place."""
    templates = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.policies["ext.i18n.trimmed"] = True
    templates.install_gettext_callables(lookup, lookup_counted, newstyle=True)  # type: ignore[attr-defined]
    templates.filters.update(score=shown_score, counted=counted, p_text=p_text, number=number, day=day, word=word)
    templates.filters["translated"] = translated
    templates.globals.update(lot_address=lot_address, image_address=image_address)
    templates.globals.update(language_tag=language_tag, script_words=script_words)
    return templates


def word(name: str) -> str:
    """A word of the code, such as a decision or a verdict, in the language that is spoken."""
    return gettext(name)


def script_words() -> dict[str, str | tuple[str, ...]]:
    """The messages that programs in the browser show, by their English; none of them in English."""
    return dict(catalogue(language()).of_scripts)


def source(name: str) -> str:
    """The text of a file beside the templates."""
    return files("reports.page").joinpath("templates", name).read_text("utf-8")


def templates_digest() -> str:
    """Changes with the page's layout, style or script."""
    return hashlib.sha256("\0".join(source(name) for name in (PAGE, STYLE, SCRIPT)).encode()).hexdigest()[:16]


def sha256(script: str) -> str:
    """The digest by which a content security policy knows a script."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def shown_score(value: float | None) -> str:
    """Four digits after the point; a dash for what is not known.

    >>> shown_score(0.12345), shown_score(float("nan"))
    ('0.1235', '–')
    """
    return "–" if value is None or value != value else number(value, ".4f")


def lot_address(root: str, name: str, path: str = "", query: str = "") -> str:
    """Where the review site shows a lot, its address beginning with `root`.

    >>> lot_address("/", "caps <i>", "scores.json")
    '/lots/caps%20%3Ci%3E/scores.json'
    """
    return f"{root}lots/{quote(name, safe='')}{f'/{path}' if path else ''}{f'?{query}' if query else ''}"


def image_address(root: str, name: str, row: Mapping[str, Any] | str, path: str = "", query: str = "") -> str:
    """Where it shows an image of a lot, named by its id or its row."""
    image_id = row if isinstance(row, str) else str(row["image_id"])
    return lot_address(root, name, f"images/{quote(image_id, safe='')}{f'/{path}' if path else ''}", query)
