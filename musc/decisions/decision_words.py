"""The words of decisions: what is said of an image, and where thresholds come from. Importing this loads nothing."""

from enum import StrEnum


class Decision(StrEnum):
    """What a run says of an image, the gravest first."""

    FLAGGED = "flagged"
    """Odd beyond doubt: pull it."""
    SUSPECT = "suspect"
    """The next ones to look at."""
    ACCEPTED = "accepted"


class Basis(StrEnum):
    """Where thresholds come from."""

    LOT = "the lot itself"
    NIGHTS = "earlier nights"
    GOOD = "known good parts"
    GIVEN = "given"
