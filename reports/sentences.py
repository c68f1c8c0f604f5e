"""What a run's decision says in words: the same on the console, in the report, on the site and in README.txt."""

from musc.decisions.choose_threshold import MIN_IMAGES
from musc.decisions.decision_words import Basis
from reports.run_record import DecisionRecord

RAW_SCORES = {
    "max": "how unlike all other images of the lot an image’s most unusual place is",
    "contrast": "how far an image’s most unusual place rises above the calm parts of the same image",
    "position": "how far an image’s most unusual place rises above what is usual at that place in the lot",
    "balanced": "how unlike all other images of the lot an image’s most unusual place is, and how far it rises above "
    "the rest of the image and what is usual there",
}
"""What the raw score says, by the setting `image_score`."""


def headline(decision: DecisionRecord, image_count: int) -> str:
    """What is to be looked at, in one sentence without a full stop."""
    flagged, suspect = decision.flagged_count, decision.suspect_count
    of_all = counted(image_count, "image")
    if image_count < MIN_IMAGES and decision.flag_basis is Basis.LOT:
        return f"{of_all} scored, too few to judge{f': {suspect} suspect' if suspect else ''}"
    if flagged and suspect:
        return f"Look at {flagged + suspect:,} of {of_all}: {flagged:,} flagged, {suspect:,} suspect"
    if flagged:
        return f"Look at {flagged:,} of {of_all}: {'it is' if flagged == 1 else 'all'} flagged"
    if suspect:
        return f"Look at {suspect:,} of {of_all}: {'it is' if suspect == 1 else 'all'} suspect, none flagged"
    return f"None of {of_all} is flagged{' or suspect' if decision.suspects else ''}"


def counts(flagged: int, suspect: int) -> str:
    """How many images are to be looked at, in few words.

    >>> counts(2, 3)
    '2 flagged, 3 suspect'
    """
    return f"{flagged:,} flagged, {suspect:,} suspect"


def thresholds(decision: DecisionRecord, accepted: str = "") -> str:
    """From which raw scores on images are flagged and suspect, and from how many parts that comes.

    Args:
        accepted: whose threshold it is, where somebody chose it for the product.
    """
    count = counted(decision.reference_count, "part")
    source = {
        Basis.LOT: f"the {count} of the lot itself",
        Basis.NIGHTS: f"{count} of earlier nights",
        Basis.GOOD: f"{count} known to be good",
        Basis.GIVEN: "the threshold given",
    }[decision.basis]
    flagged, suspect = decision.threshold, decision.suspect_threshold
    sentences = [] if flagged is None else [f"flagged from a raw score of {flagged:.4f} on"]
    if decision.flag_basis is Basis.GIVEN:
        sentences[-1] += f", {accepted}" if accepted else ", as given"
    if suspect is not None and suspect != flagged:
        sentences.append(f"suspect from {suspect:.4f} on")
    text = "; ".join(sentences) or "no threshold"
    is_given = decision.flag_basis is Basis.GIVEN and len(sentences) == 1
    origin = "" if is_given else f", found from {source}"
    return f"{text[0].upper()}{text[1:]}{origin}."


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "image"), counted(1200, "image")
    ('1 image', '1,200 images')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def p_text(p_value: float) -> str:
    """A p-value as people read it.

    >>> p_text(0.0123), p_text(0.00002), p_text(1)
    ('0.012', '< 0.001', '1.000')
    """
    return "< 0.001" if p_value < 0.0005 else f"{p_value:.3f}"
