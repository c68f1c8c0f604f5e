"""Settings of products as the site shows them: those in use, what a tuning found, and what a browser sends."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.languages.current import gettext as _
from reports.languages.numbers import number
from reports.languages.sentences import translated
from reports.tuning.accept_and_go_back import accept, describe_in_use, describe_tuning, go_back
from reports.tuning.comparison_picture import comparison_picture, shown_choices
from reports.tuning.judged_lots import MIN_OF_EACH
from storage.artefacts import is_complete
from storage.products.accepted_settings import files_by_product, latest_accepted, latest_of
from storage.products.tunings import FILE, FOLDER, ChoiceRow, Tuning, read_tuning
from storage.store import Store
from web.judging.form import sent_object, text_of
from web.overview import Product

ROWS_SHOWN = 6


@dataclass(frozen=True)
class ProductSettings:
    """What a product's part of the page says of its settings."""

    in_use: str
    """Which settings are taken, in words."""
    own: bool
    """Whether somebody accepted settings for the product."""
    advice: str
    """The command that compares settings, or how many verdicts are missing for it."""
    path: str
    """Of the last tuning in the store; empty where there is none."""
    tuning: Tuning | None

    @property
    def rows(self) -> list[ChoiceRow]:
        """The choice in use, the one found, and those of the highest expected gain."""
        if self.tuning is None:
            return []
        return [self.tuning.choices[place] for place in shown_choices(self.tuning, ROWS_SHOWN)]

    def picture(self, width: int) -> Markup:
        """The same choices as a picture of so many pixels across; every text in it is escaped."""
        return Markup(comparison_picture(self.tuning, ROWS_SHOWN, width)) if self.tuning else Markup("")  # nosec B704

    @property
    def sentences(self) -> list[str]:
        """What the tuning found."""
        return describe_tuning(self.tuning) if self.tuning else []

    @property
    def acceptable(self) -> bool:
        """Whether the tuning found other settings than those it began with."""
        return bool(self.tuning and self.tuning.chosen)


def settings_of(store: Store, products: Sequence[Product]) -> dict[str, ProductSettings]:
    """The settings of every product, by its name."""
    tunings, accepted = latest_tunings(store), files_by_product(store)
    found = {}
    for product in products:
        category = product.category
        path, tuning = tunings.get(category, ("", None))
        in_use, own = describe_in_use(latest_of(store, accepted.get(category, [])))
        found[category] = ProductSettings(in_use, own, advice_for(store, product), path, tuning)
    return found


def advice_for(store: Store, product: Product) -> str:
    """The command that compares settings, or how many verdicts are missing for it."""
    judged = {"defective": product.judged.defective, "good": product.judged.good}
    left = {kind: number(MIN_OF_EACH - count) for kind, count in judged.items() if count < MIN_OF_EACH}
    missing = [_("%(count)s more %(kind)s", count=count, kind=_(kind)) for kind, count in left.items()]
    if missing:
        return _("To compare settings by verdicts, judge %(missing)s.", missing=_(" and ").join(missing))
    command = f"musc tune {shlex.quote(product.category)} --output {shlex.quote(store.url)}"
    return _("There are enough verdicts to compare settings: %(command)s", command=command)


def latest_tunings(store: Store) -> dict[str, tuple[str, Tuning]]:
    """Path and content of each product's last tuning, by the product's name."""
    names = sorted(name.split("/")[0] for name in store.sizes(FOLDER) if name.endswith(f"/{FILE}"))
    complete = [f"{FOLDER}/{name}" for name in names if is_complete(store, f"{FOLDER}/{name}")]
    read = [(path, read_tuning(store, path)) for path in complete]
    return {tuning.category: (path, tuning) for path, tuning in sorted(read, key=lambda one: one[1].time)}


def change_settings(store: Store, body: bytes, products: Sequence[Product]) -> str:
    """Accept what a tuning found, or go back, as the body of a request says; returns which settings are in use then.

    Raises:
        ValueError: if it is no JSON object, or names no product, no name, or a tuning that is not the last.
    """
    sent = sent_object(body)
    category, tuning, name = (text_of(sent, field).strip() for field in ("category", "tuning", "name"))
    if category not in {product.category for product in products}:
        raise ValueError(f"category must be a product of the store, got {category!r}; reload the page")
    if not name:
        raise ValueError("name must say who changes the settings, got nothing; type yours")
    if not tuning:
        go_back(store, category, name)
        return translated(describe_in_use(latest_accepted(store, category))[0])
    if tuning != latest_tunings(store).get(category, ("", None))[0]:
        raise ValueError(f"tuning must be the last one of {category}, got {tuning!r}; reload the page")
    if accept(store, tuning, name) is None:
        raise ValueError(f"tuning must have found other settings, got {tuning!r}; judge more and compare again")
    return translated(describe_in_use(latest_accepted(store, category))[0])
