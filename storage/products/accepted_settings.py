"""Settings of a product that somebody accepted, append-only: the latest file counts; one without settings goes back.

`products/<product>/<time>-<random>.json` holds one JSON object, the fields of `AcceptedSettings`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from storage.given_names import PRODUCTS
from storage.results.append_only_files import add_dated, dated_files, now, read_dated, time_after
from storage.results.verdicts import MAX_NAME
from storage.store import Store

FORMAT_VERSION = 1


@dataclass(frozen=True)
class AcceptedSettings:
    """Who accepted which settings for a product, when, and on which verdicts."""

    category: str
    settings: Mapping[str, object]
    """By the names of the options; empty to go back to the default ones."""
    name: str
    """Who accepted them."""
    tuning: str = ""
    """Path of the tuning that found them; empty for going back."""
    defective: int = 0
    """Verdicts it was found by."""
    good: int = 0
    time: str = field(default_factory=now)
    """UTC, ISO 8601 with microseconds."""

    def __post_init__(self) -> None:
        """Refuse what nobody can have accepted.

        Raises:
            ValueError: if the name is empty or too long.
        """
        if not self.name.strip() or len(self.name) > MAX_NAME:
            raise ValueError(f"name must have 1 to {MAX_NAME} characters, got {len(self.name)}; say who accepts")


def add_accepted(store: Store, accepted: AcceptedSettings) -> str:
    """Store accepted settings as a file of their own, which counts from now on, and return its path in the store."""
    known = accepted_files(store, accepted.category)
    before = read_accepted(store, known[-1]).time if known else ""
    accepted = replace(accepted, time=time_after(before, accepted.time))
    return add_dated(store, f"{PRODUCTS}/{accepted.category}", accepted.time, asdict(accepted), FORMAT_VERSION)


def accepted_files(store: Store, category: str) -> list[str]:
    """Paths of all settings ever accepted for a product, the latest last."""
    return dated_files(store, f"{PRODUCTS}/{category}")


def files_by_product(store: Store) -> dict[str, list[str]]:
    """As `accepted_files`, of every product by its name, from one listing."""
    found: dict[str, list[str]] = {}
    for path in dated_files(store, PRODUCTS):
        found.setdefault(path.removeprefix(f"{PRODUCTS}/").rpartition("/")[0], []).append(path)
    return found


def latest_accepted(store: Store, category: str) -> tuple[str, AcceptedSettings] | None:
    """The settings of a product that count, and their path in the store; None where it has none of its own.

    Raises:
        FormatVersionError: if another release wrote them.
        DamagedError: if the file holds something else.
    """
    return latest_of(store, accepted_files(store, category))


def latest_of(store: Store, files: Sequence[str]) -> tuple[str, AcceptedSettings] | None:
    """As `latest_accepted`, of a product's files, the latest last."""
    latest = read_accepted(store, files[-1]) if files else None
    return (files[-1], latest) if latest and latest.settings else None


def read_accepted(store: Store, path: str) -> AcceptedSettings:
    """Settings at a path; errors are those of `latest_accepted`."""
    return read_dated(store, path, FORMAT_VERSION, lambda fields: AcceptedSettings(**fields), "settings of a product")
