"""Settings of a product that somebody accepted, append-only: the latest file counts; one without settings goes back.

`products/<product>/<time>-<random>.json` holds one JSON object, the fields of `AcceptedSettings`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from storage.errors import DamagedError, FormatVersionError
from storage.given_names import PRODUCTS
from storage.results.append_only_files import add_dated, now, time_after
from storage.results.verdicts import MAX_NAME
from storage.store import PARTIAL, Store

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
    content = {"format_version": FORMAT_VERSION, **asdict(accepted)}
    return add_dated(store, f"{PRODUCTS}/{accepted.category}", accepted.time, content)


def accepted_files(store: Store, category: str) -> list[str]:
    """Paths of all settings ever accepted for a product, the latest last."""
    folder = f"{PRODUCTS}/{category}"
    names = [name for name in store.sizes(folder) if name.endswith(".json") and PARTIAL not in name]
    return [f"{folder}/{name}" for name in sorted(names)]


def files_by_product(store: Store) -> dict[str, list[str]]:
    """As `accepted_files`, of every product by its name, from one listing."""
    found: dict[str, list[str]] = {}
    for name in sorted(store.sizes(PRODUCTS)):
        if name.endswith(".json") and PARTIAL not in name:
            found.setdefault(name.rpartition("/")[0], []).append(f"{PRODUCTS}/{name}")
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
    try:
        found = json.loads(store.read(path))
        version = found.pop("format_version", None)
        if version == FORMAT_VERSION:
            return AcceptedSettings(**found)
    except (ValueError, TypeError, AttributeError) as error:
        raise DamagedError(
            f"{path} in {store.url} must hold settings of a product, got something else ({error}); delete it, which "
            "brings back those accepted before"
        ) from None
    raise FormatVersionError(
        f"{path} in {store.url} must have format version {FORMAT_VERSION}, got {version!r}; use the release that wrote "
        "it, or delete it"
    )
