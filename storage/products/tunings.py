"""Tunings: how each choice of settings ranked the judged photographs of a product, as small artefacts.

`tunings/<product>-<key>/tuning.json` holds one JSON object, a `Tuning`, and `comparison.svg` beside it the
intervals of some choices as a picture; `trials/<key>/scores.parquet` a row for each
image of a lot with its scores, a column for each choice.
"""

from pydantic import BaseModel, ConfigDict

from storage.store import Store

FOLDER, FILE, PICTURE = "tunings", "tuning.json", "comparison.svg"
SCORES = "scores.parquet"


class Stored(BaseModel):
    """Frozen, and plain JSON on disk."""

    model_config = ConfigDict(frozen=True)


class ChoiceRow(Stored):
    """One choice, and what the verdicts say of it."""

    settings: dict[str, object]
    """By the names of the options."""
    text: str
    auroc: float
    low: float
    """Of the interval that holds the AUROC in 9 of 10 cases."""
    high: float
    found: int
    """Defective images above the threshold at which 5 % of the judged good ones lie."""
    false: int
    """Judged good images above it."""
    gain: float
    """Expected AUROC over the settings in use, after all that speaks for caution."""
    gain_error: float
    """Its standard error."""
    cost: float
    """Operations of extraction and comparison, as a multiple of the settings in use."""


class LotRow(Stored):
    """What would have been listed in one lot: flagged and suspect images, and those of them that people judged."""

    run: str
    images: int
    used: tuple[int, int, int]
    """With the settings in use: listed, of them judged defective, and of them judged good."""
    chosen: tuple[int, int, int]
    """With the settings that were found."""


class Tuning(Stored):
    """A tuning: its choices, of which the first is in use, and the one that is to be taken."""

    category: str
    time: str
    """When it was computed, UTC."""
    defective: int
    """Judged photographs."""
    good: int
    choices: tuple[ChoiceRow, ...]
    chosen: int
    """Row of the choice to be taken; 0, the settings in use, where no other is surely better."""
    proven: bool
    """Whether that one was better on other products; else it is surely better by these verdicts, or the one in use."""
    selected: bool
    """Whether the judged good images are those that scored highest in their lots, which makes the comparison unsure."""
    lots: tuple[LotRow, ...]


def read_tuning(store: Store, path: str) -> Tuning:
    """The tuning in an artefact."""
    return Tuning.model_validate_json(store.read(f"{path}/{FILE}"))
