"""What a run's decision says in words: the same on the console, in the report, on the site and in README.txt."""

from musc.decisions.choose_threshold import MIN_IMAGES
from musc.decisions.decision_words import Basis
from reports.languages.current import gettext as _
from reports.languages.current import mark, mark_counted, ngettext
from reports.languages.numbers import number
from reports.languages.sentences import translated
from reports.run_record import DecisionRecord

RAW_SCORES = {
    "max": mark("how unlike all other images of the lot an image’s most unusual place is"),
    "contrast": mark("how far an image’s most unusual place rises above the calm parts of the same image"),
    "position": mark("how far an image’s most unusual place rises above what is usual at that place in the lot"),
    "balanced": mark(
        "how unlike all other images of the lot an image’s most unusual place is, and how far it rises above "
        "the rest of the image and what is usual there"
    ),
}
"""What the raw score says, by the setting `image_score`."""


WORDS = (
    *(mark("flagged"), mark("suspect"), mark("accepted")),
    *(mark("defective"), mark("good"), mark("unsure"), mark("withdrawn")),
    *(mark("duplicate"), mark("unreadable"), mark("ok"), mark("too large"), mark("too small")),
)
"""Words of decisions, verdicts and files, which pages show as the code has them."""
COUNTED = {
    "image": mark_counted("%(count)s image", "%(count)s images"),
    "part": mark_counted("%(count)s part", "%(count)s parts"),
    "warning": mark_counted("%(count)s warning", "%(count)s warnings"),
    "run": mark_counted("%(count)s run", "%(count)s runs"),
    "night": mark_counted("%(count)s night", "%(count)s nights"),
    "lot": mark_counted("%(count)s lot", "%(count)s lots"),
    "file": mark_counted("%(count)s file", "%(count)s files"),
    "defect": mark_counted("%(count)s defect", "%(count)s defects"),
    "box": mark_counted("%(count)s box", "%(count)s boxes"),
}
"""What pages count."""


def headline(decision: DecisionRecord, image_count: int) -> str:
    """What is to be looked at, in one sentence without a full stop."""
    flagged, suspect = decision.flagged_count, decision.suspect_count
    shown = {"flagged": number(flagged), "suspect": number(suspect), "listed": number(flagged + suspect)}
    if image_count < MIN_IMAGES and decision.flag_basis is Basis.LOT:
        scored = _("%(images)s scored, too few to judge", images=counted(image_count, "image"))
        only = _("%(suspect)s suspect", **shown)
        return f"{scored}: {only}" if suspect else scored
    of_all = ngettext("of %(count)s image", "of %(count)s images", image_count, count=number(image_count))
    if not flagged and not suspect:
        if decision.suspects:
            return _("None %(of_all)s is flagged or suspect", of_all=of_all)
        return _("None %(of_all)s is flagged", of_all=of_all)
    if flagged and suspect:
        what = _("%(flagged)s flagged, %(suspect)s suspect", **shown)
    elif flagged:
        what = ngettext("it is flagged", "all flagged", flagged)
    else:
        what = ngettext("it is suspect, none flagged", "all suspect, none flagged", suspect)
    return _("Look at %(listed)s %(of_all)s: %(what)s", listed=shown["listed"], of_all=of_all, what=what)


def counts(flagged: int, suspect: int) -> str:
    """How many images are to be looked at, in few words.

    >>> counts(2, 3)
    '2 flagged, 3 suspect'
    """
    return _("%(flagged)s flagged, %(suspect)s suspect", flagged=number(flagged), suspect=number(suspect))


def thresholds(decision: DecisionRecord, accepted: str = "") -> str:
    """From which raw scores on images are flagged and suspect, and from how many parts that comes.

    Args:
        accepted: whose threshold it is, where somebody chose it for the product.
    """
    count = decision.reference_count
    shown = {"count": number(count)}
    source = {
        Basis.LOT: ngettext(
            "the %(count)s part of the lot itself", "the %(count)s parts of the lot itself", count, **shown
        ),
        Basis.NIGHTS: ngettext("%(count)s part of earlier nights", "%(count)s parts of earlier nights", count, **shown),
        Basis.GOOD: ngettext("%(count)s part known to be good", "%(count)s parts known to be good", count, **shown),
        Basis.GIVEN: _("the threshold given"),
    }[decision.basis]
    flagged, suspect = decision.threshold, decision.suspect_threshold
    sentences = []
    if flagged is not None:
        sentences = [_("flagged from a raw score of %(score)s on", score=number(flagged, ".4f"))]
    if decision.flag_basis is Basis.GIVEN:
        sentences[-1] += f", {translated(accepted)}" if accepted else _(", as given")
    if suspect is not None and suspect != flagged:
        sentences.append(_("suspect from %(score)s on", score=number(suspect, ".4f")))
    text = "; ".join(sentences) or _("no threshold")
    is_given = decision.flag_basis is Basis.GIVEN and len(sentences) == 1
    origin = "" if is_given else _(", found from %(source)s", source=source)
    return _("%(thresholds)s.", thresholds=f"{text[0].upper()}{text[1:]}{origin}")


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "image"), counted(1200, "image")
    ('1 image', '1,200 images')
    """
    one, several = COUNTED.get(noun, (f"%(count)s {noun}", f"%(count)s {plural or f'{noun}s'}"))
    return ngettext(one, several, count, count=number(count))


def p_text(p_value: float) -> str:
    """A p-value as people read it.

    >>> p_text(0.0123), p_text(0.00002), p_text(1)
    ('0.012', '< 0.001', '1.000')
    """
    return f"< {number(0.001, '.3f')}" if p_value < 0.0005 else number(p_value, ".3f")
