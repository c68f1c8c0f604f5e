"""The settings of a product that somebody accepted, taken where the user gives none of them."""

from dataclasses import fields

from musc.settings import Settings
from musc.settings.pydantic_options import read_sizes
from planning.lot_job import OfProduct
from planning.tuning.choices import Choice
from storage.errors import DamagedError
from storage.local_time import local_time
from storage.products.accepted_settings import AcceptedSettings, latest_accepted
from storage.store import Store


def with_accepted(settings: Settings, store: Store, category: str) -> tuple[Settings, OfProduct | None]:
    """The settings of a request, completed by those accepted for a product.

    Returns:
        Settings, and where they come from: None where the product has none, or the user gives one that they decide.
    """
    found = latest_accepted(store, category)
    if found is None or given_by_user(settings):
        return settings, None
    path, accepted = found
    return choice_from(accepted.settings).applied_to(settings), OfProduct(path, describe_accepted(accepted))


def given_by_user(settings: Settings) -> tuple[str, ...]:
    """Names of the options that a choice would decide and that have another value than their default.

    >>> given_by_user(Settings(image_size=64)), given_by_user(Settings())
    (('image_size',), ())
    """
    names = (*(field.name for field in fields(Choice)), "weights", "tile")
    return tuple(name for name in names if getattr(settings, name) != Settings.model_fields[name].default)


def choice_from(settings: object) -> Choice:
    """A choice from plain JSON values.

    Raises:
        DamagedError: if they are none.
    """
    try:
        values = dict(settings)  # type: ignore[call-overload]
        size, layers = values["image_size"], values["layers"]
        values["image_size"] = read_sizes(tuple(size) if isinstance(size, list) else size)
        values["layers"] = tuple(layers) if layers is not None else None
        return Choice(**values)
    except (TypeError, KeyError, ValueError) as error:
        raise DamagedError(
            f"settings of a product must be options by name, got {settings!r} ({error}); accept settings again"
        ) from None


def describe_accepted(accepted: AcceptedSettings) -> str:
    """Which settings a product has, and from whom.

    >>> describe_accepted(AcceptedSettings("cap", {}, "Ann", time="2026-11-28T12:00:00+00:00"))[:36]
    'the default settings of cap, by Ann '
    """
    time = local_time(accepted.time)
    if not accepted.settings:
        return f"the default settings of {accepted.category}, by {accepted.name} on {time}"
    verdicts = f"{accepted.defective} defective and {accepted.good} good photographs"
    text = choice_from(accepted.settings).text
    by = f"accepted by {accepted.name} on {time}"
    return f"the settings of {accepted.category}: {text}; {by}, found by the verdicts about {verdicts}"
