"""What tasks return: small references to what they stored, never the data itself."""

from pydantic import BaseModel, ConfigDict


class Returned(BaseModel):
    """Frozen, and plain JSON in Prefect's results."""

    model_config = ConfigDict(frozen=True)


class StoredArtefact(Returned):
    """An artefact is complete."""

    path: str
    """In the store."""


class ListedLot(Returned):
    """A lot's listing is stored."""

    lot_key: str
    """To load it with."""
    files: int
    usable: int
    unopened: int
    """Files that could not be opened."""


class Grouped(Returned):
    """A lot's groups are stored."""

    path: str
    groups: int
    """How many there are."""


class ScoredRun(Returned):
    """A run is complete."""

    run: str
    """Its path in the store."""
    key: str
    images: int
    """Scored."""
    files: int
    """Listed."""
    reused: bool = False
    """Whether it was complete before."""


class Contributed(Returned):
    """What people's work on the site gave to a lot; None for what was not asked for."""

    judged_good: int | None = None
    """Images judged good that are references."""
    ignored: int | None = None
    """Drawn places that were not looked at."""


class ScoredLot(ScoredRun):
    """A run is complete, and its page was tried."""

    report: str | None
    """Path of the page in the store; None where it could not be made."""
    flagged: int
    """Images that are odd beyond doubt."""
    suspect: int
    """Images to look at next."""
    warnings: tuple[str, ...]
    """Sentences, as on the page."""
    unusual: tuple[str, ...]
    """Labels of the measures that are unlike those of earlier nights."""
    is_followed: bool
    """Whether a later night of the product was scored already."""
    notes: tuple[str, ...]
    """What was done otherwise than asked for."""
    problems: tuple[str, ...]
    """A sentence for each thing beside the scores that went wrong."""
    unopened: int
    """Files that could not be opened."""
    left_out: str = ""
    """How many files were not scored, by status; empty if all were."""
    created: tuple[str, ...] = ()
    """What beside the scores was not there before: `page`, `maps`, `exports`."""
    contributed: Contributed = Contributed()
    kept_size: str = ""
    """The image size and where it comes from, if proportions are kept."""
    hints: tuple[str, ...] = ()
    """Options that the sizes of the photographs suggest."""
    of_product: str = ""
    """Which settings and which threshold were accepted for the product, where these were taken."""


class Benchmarked(Returned):
    """A table of metrics is written."""

    benchmark: str
    """Its path in the store."""


class Tuned(StoredArtefact):
    """The choices of a product's settings are compared."""

    left_out: tuple[str, ...] = ()
    """A sentence for each lot whose verdicts could not be used."""
    accepted: bool = False
    """Whether settings were kept as the product's."""
