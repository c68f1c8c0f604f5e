"""The settings of a product: those in use, accepting others or going back, and sentences about a tuning."""

import getpass

from planning.tuning.choices import DEFAULT, Choice
from planning.tuning.take_accepted import choice_from, describe_accepted
from reports.languages.current import gettext as _
from reports.languages.numbers import number
from storage.products.accepted_settings import AcceptedSettings, add_accepted, latest_accepted
from storage.products.tunings import Tuning, read_tuning
from storage.store import Store


def settings_in_use(store: Store, category: str) -> Choice:
    """The settings that a product has of its own, or the default ones."""
    found = latest_accepted(store, category)
    return choice_from(found[1].settings) if found else DEFAULT


def accept(store: Store, path: str, name: str | None) -> AcceptedSettings | None:
    """Keep what a tuning found as the settings of its product.

    Args:
        name: who accepts; None is the name at this machine.

    Returns:
        What was kept; None where the tuning found nothing better.
    """
    tuning = read_tuning(store, path)
    if not tuning.chosen:
        return None
    row = tuning.choices[tuning.chosen]
    by = name or getpass.getuser()
    accepted = AcceptedSettings(tuning.category, row.settings, by, path, tuning.defective, tuning.good)
    add_accepted(store, accepted)
    return accepted


def go_back(store: Store, category: str, name: str | None) -> AcceptedSettings:
    """Give a product the default settings again; what was accepted stays on record."""
    accepted = AcceptedSettings(category, {}, name or getpass.getuser())
    add_accepted(store, accepted)
    return accepted


def describe_tuning(tuning: Tuning) -> list[str]:
    """What a tuning found, in sentences."""
    used, chosen = tuning.choices[0], tuning.choices[tuning.chosen]
    lines = [
        _(
            "%(count)s choices were compared on %(defective)s defective and %(good)s good photographs of %(product)s. "
            "In use: %(settings)s.",
            count=len(tuning.choices),
            defective=tuning.defective,
            good=tuning.good,
            product=tuning.category,
            settings=used.text,
        )
    ]
    if tuning.chosen:
        why = _("Better on other products, and not worse by these verdicts") if tuning.proven else _("Surely better")
        lines.append(
            _(
                "%(why)s: %(settings)s. Expected gain of AUROC %(gain)s ± %(error)s, after all caution; each night "
                "costs %(cost)s times as much.",
                why=why,
                settings=chosen.text,
                gain=number(chosen.gain, "+.3f"),
                error=number(chosen.gain_error, ".3f"),
                cost=number(chosen.cost, ".1f"),
            )
        )
    else:
        lines.append(_("No other choice is surely better on these verdicts, so nothing is to be changed; judge more."))
    if tuning.selected:
        lines.append(
            _(
                "The good photographs that were judged are those that scored highest in their lots. That makes other "
                "choices look better than they are: judge some photographs from the end of the list too."
            )
        )
    return lines


def describe_in_use(found: tuple[str, AcceptedSettings] | None) -> tuple[str, bool]:
    """Which settings a product has, in words, and whether they are its own; `found` is what was accepted last."""
    return (
        (describe_accepted(found[1]), True)
        if found
        else (_("the default settings: %(settings)s", settings=DEFAULT.text), False)
    )
