"""What a night says: a line for each lot, and at its end everything else once; on the console and in Prefect's log.

What a lot's page says in full is said here in a few words.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from planning.nights.outcomes import LotOutcome, Night, Status
from planning.task_results import Contributed
from reports.sentences import counted, counts

FINISHED_SHOWN = 5
"""Lots finished before that get a line of their own, the latest; a root may hold years of them."""
NAMES_SHOWN = 3
WARNINGS_SHOWN = 8
HEADLINE = re.compile(r"[:;.] | \(|[.]$")
"""What ends the first clause of a warning."""


def lot_line(outcome: LotOutcome) -> str:
    """What came of one lot: counts and its page, or why there is none."""
    if outcome.status in (Status.TOO_SMALL, Status.FAILED):
        return f"{outcome.found.lot}: {outcome.status}: {outcome.reason}"
    finished = [str(Status.FINISHED)] if outcome.status == Status.FINISHED else []
    created = [f"{' and '.join(outcome.created)} made now"] if outcome.created else []
    warnings = [counted(len(outcome.warnings), "warning")] if outcome.warnings else []
    left_out = [f"not scored: {outcome.left_out}"] if outcome.left_out else []
    parts = [
        *finished,
        f"{counted(outcome.images, 'image')}: {counts(outcome.flagged, outcome.suspect)}",
        *created,
        *warnings,
        *left_out,
    ]
    return f"{outcome.found.lot}: {', '.join(parts)}; {outcome.page}"


def finished_lines(night: Night) -> list[str]:
    """The latest of the lots finished before, and how many more there are."""
    finished = night.with_status(Status.FINISHED)
    more = len(finished) - FINISHED_SHOWN
    return [*map(lot_line, finished[-FINISHED_SHOWN:]), *([f"{more} more were finished before"] if more > 0 else [])]


def advice_lines(night: Night) -> list[str]:
    """What a person should know of a night, each thing once: verdicts, warnings, problems, what is no lot."""
    warnings = by_text((first_clause(warning), outcome) for outcome in night.outcomes for warning in outcome.warnings)
    problems = by_text((problem, outcome) for outcome in night.outcomes for problem in outcome.problems)
    sizes = by_text((outcome.kept_size, outcome) for outcome in night.outcomes if outcome.kept_size)
    hints = by_text((hint, outcome) for outcome in night.outcomes for hint in outcome.hints)
    settings = by_text((outcome.of_product, outcome) for outcome in night.outcomes if outcome.of_product)
    lots_of_warning = list(warnings.items())
    more = len(lots_of_warning) - WARNINGS_SHOWN
    return [
        *contribution_lines(night.outcomes),
        *(f"Proportions kept: {text}: {named(lots)}" for text, lots in sizes.items()),
        *(f"Hint: {named(lots)}: {text}" for text, lots in hints.items()),
        *(f"Scored with {text}: {named(lots)}" for text, lots in settings.items()),
        *(["Warnings, in full on the pages of the lots:"] if lots_of_warning else []),
        *(f"  {text}: {named(lots)}" for text, lots in lots_of_warning[:WARNINGS_SHOWN]),
        *([f"  and {more} others"] if more > 0 else []),
        *(f"problem: {named(lots)}: {text}" for text, lots in problems.items()),
        *left_out_lines(night),
    ]


def counts_line(night: Night) -> str:
    """How many lots came out how."""
    return ", ".join(f"{night.count(status)} {status}" for status in Status)


def left_out_lines(night: Night) -> list[str]:
    """What below the root is no lot, by the reason."""
    paths = defaultdict(list)
    for entry in night.left_out:
        paths[entry.reason].append(entry.path)
    lines = [f"no lot: {named(left_out)}: {reason}" for reason, left_out in paths.items()]
    nothing = f"no lot lies below {night.root}; lots are folders <category>/<date> of images"
    return lines if night.outcomes else [*lines, nothing]


def contribution_lines(outcomes: Sequence[LotOutcome]) -> list[str]:
    """What verdicts and drawn places gave to each product, in one line; nothing where they were not asked for."""
    latest = {
        outcome.found.category: outcome.contributed for outcome in outcomes if outcome.contributed != Contributed()
    }
    texts = [f"{category}: {contribution(contributed)}" for category, contributed in latest.items()]
    return [f"From the site: {'; '.join(texts)}"] if texts else []


def contribution(contributed: Contributed) -> str:
    """What verdicts and drawn places gave to a lot.

    >>> contribution(Contributed(judged_good=12, ignored=0))
    '12 good references, no place drawn to be ignored yet'
    """
    good, ignored = contributed.judged_good, contributed.ignored
    return ", ".join(
        [
            *([] if good is None else [counted(good, "good reference") if good else "no good reference yet"]),
            *([] if ignored is None else [f"{counted(ignored, 'place')} ignored" if ignored else NOTHING_DRAWN]),
        ]
    )


NOTHING_DRAWN = "no place drawn to be ignored yet"


def first_clause(warning: str) -> str:
    """The first clause of a warning, of which the rest stands on the page.

    >>> first_clause("Most photographs are nearly black: half of them have a brightness of at most 0.01 of 1.")
    'Most photographs are nearly black'
    """
    return HEADLINE.split(warning, maxsplit=1)[0]


def by_text(texts: Iterable[tuple[str, LotOutcome]]) -> Mapping[str, list[str]]:
    """The names of the lots of which each text is told."""
    lots: dict[str, list[str]] = {}
    for text, outcome in texts:
        names = lots.setdefault(text, [])
        if outcome.found.lot not in names:
            names.append(outcome.found.lot)
    return lots


def named(names: Sequence[str]) -> str:
    """A few names, and how many more there are.

    >>> named(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
