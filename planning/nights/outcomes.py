"""What a night did: the outcome of every lot."""

from dataclasses import dataclass, field
from enum import StrEnum

from planning.lot_job import LotJob
from planning.task_results import Contributed, ScoredLot
from storage.images.lot_tree import FoundLot, LeftOut
from storage.store import Store


class Status(StrEnum):
    """What a night says of a lot."""

    SCORED = "scored"
    FINISHED = "finished before"
    TOO_SMALL = "too small"
    FAILED = "failed"


@dataclass(frozen=True)
class LotOutcome:
    """What a night did with one lot."""

    found: FoundLot
    status: Status
    images: int = 0
    run: str = ""
    reason: str = ""
    """Why it has no result."""
    flagged: int = 0
    left_out: str = ""
    """How many files were not scored, by status; empty if all were."""
    suspect: int = 0
    warnings: tuple[str, ...] = ()
    """Sentences, as on the lot's page."""
    page: str = ""
    """Path or URL of the lot's page; of its run where there is no page."""
    created: tuple[str, ...] = ()
    """What a lot that was finished before lacked and got: `page`, `maps`, `exports`."""
    kept_size: str = ""
    """The image size and where it comes from, if proportions are kept."""
    hints: tuple[str, ...] = ()
    """Options that the sizes of the photographs suggest."""
    of_product: str = ""
    """Which settings and which threshold were accepted for the product, where these were taken."""
    contributed: Contributed = field(default_factory=Contributed)
    problems: tuple[str, ...] = ()
    """What went wrong beside the scores; such a lot is looked at again the next night."""

    def as_row(self) -> dict[str, str]:
        """For a table that people read."""
        has_result = self.status in (Status.SCORED, Status.FINISHED)
        return {
            "category": self.found.category,
            "lot": self.found.name,
            "date": self.found.date.isoformat() if self.found.date else "–",
            "outcome": self.status,
            "images": str(self.images) if self.images else "–",
            "flagged": str(self.flagged) if has_result else "–",
            "suspect": str(self.suspect) if has_result else "–",
            "warnings": str(len(self.warnings)) if has_result else "–",
            "page, or why there is none": self.page or self.reason or "–",
            "what the warnings say": " ".join(self.warnings) or "–",
        }


@dataclass(frozen=True)
class Night:
    """What a night did."""

    root: str
    outcomes: tuple[LotOutcome, ...]
    """Of every lot."""
    left_out: tuple[LeftOut, ...]
    """What below the root belongs to no lot."""

    @property
    def runs(self) -> list[str]:
        """Paths of what was scored."""
        return [outcome.run for outcome in self.outcomes if outcome.status == Status.SCORED]

    def count(self, status: Status) -> int:
        """How many lots came out so."""
        return len(self.with_status(status))

    def with_status(self, status: Status) -> list[LotOutcome]:
        """The lots that came out so."""
        return [outcome for outcome in self.outcomes if outcome.status == status]


def describe_outcome(found: FoundLot, job: LotJob, result: ScoredLot) -> LotOutcome:
    """The outcome of a lot that has its result now, with what is still missing; the job says in which store."""
    problems = list(result.problems)
    if result.unopened:
        files = "1 file" if result.unopened == 1 else f"{result.unopened:,} files"
        problems.append(f"{files} could not be opened; the next night tries again")
    return LotOutcome(
        found,
        Status.FINISHED if result.reused else Status.SCORED,
        result.images,
        result.run,
        flagged=result.flagged,
        left_out=result.left_out,
        suspect=result.suspect,
        warnings=result.warnings,
        page=Store(job.store).location(result.report or result.run),
        created=result.created if result.reused else (),
        kept_size=result.kept_size,
        hints=result.hints,
        of_product=result.of_product,
        contributed=result.contributed,
        problems=tuple(problems),
    )
