"""The three decisions about the images of a lot: the rule's thresholds, what the user chose, and what must be said."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musc.decisions.choose_threshold import MIN_IMAGES, LotDecision, lot_thresholds
from musc.decisions.decision_words import Basis, Decision
from musc.settings import Decisions

FloatArray = NDArray[np.float64]

ALIKE = 0.01
"""Below this distance images differ only by rounding or sensor noise."""
MAX_ANOMALOUS = 0.4
"""Above this part of the lot, mutual scoring's assumption that most images are good is in doubt."""


@dataclass(frozen=True)
class DecidedLot:
    """What was decided about N images."""

    options: Decisions
    rule: LotDecision
    """What the rule found; its thresholds are those before the user's threshold and review budget."""
    flag_threshold: float
    """Raw score at and above which images are flagged; infinite where none can be."""
    suspect_threshold: float
    """Raw score at and above which images are suspect, at most `flag_threshold`; infinite where none can be."""
    decisions: tuple[Decision, ...]
    """Of each image."""
    above_count: int
    """Images to look at before the review budget."""
    warnings: tuple[str, ...]
    """Plain sentences for the person who reads the result."""

    @property
    def flag_basis(self) -> Basis:
        """Where the threshold of flagged images comes from."""
        return self.rule.basis if self.options.threshold is None else Basis.GIVEN

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """(N,)."""
        return np.array([decision is Decision.FLAGGED for decision in self.decisions], dtype=bool)

    @property
    def listed(self) -> NDArray[np.bool_]:
        """(N,), the images to look at: flagged and suspect ones."""
        return np.array([decision is not Decision.ACCEPTED for decision in self.decisions], dtype=bool)

    def count(self, decision: Decision) -> int:
        """How many images were decided so."""
        return self.decisions.count(decision)


def decide_images(
    raw_scores: NDArray[Any],
    options: Decisions | None = None,
    *,
    good_scores: NDArray[Any] | None = None,
    earlier_nights: Sequence[NDArray[Any]] = (),
) -> DecidedLot:
    """Choose the images of a lot that someone should look at.

    Args:
        raw_scores: (N,), image scores before RsCIN; higher is more anomalous.
        options: what the user chose; the defaults unless given.
        good_scores: (G,), of known good parts, each scored with itself left out.
        earlier_nights: (n,) raw scores of each earlier night scored in the same way, oldest first.

    Raises:
        ValueError: unless there is at least one score and all are finite.
    """
    options = options or Decisions()
    scores = np.asarray(raw_scores, dtype=np.float64)
    if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
        raise ValueError(
            f"raw_scores must be finite scores on one axis (N,), got shape {scores.shape} with "
            f"{int((~np.isfinite(scores)).sum())} not finite; leave these images out"
        )
    rule_result = lot_thresholds(
        scores,
        false_alarms=options.false_alarms,
        suspects=options.suspects,
        good_scores=good_scores,
        earlier_nights=earlier_nights,
    )
    flag = rule_result.flag_threshold if options.threshold is None else options.threshold
    suspect = min(flag, rule_result.suspect_threshold) if options.suspects else flag
    above = int((scores >= suspect).sum())
    flag, suspect = (within_budget(scores, threshold, options.review_budget) for threshold in (flag, suspect))
    decided = DecidedLot(
        options, rule_result, flag, suspect, tuple(decision_of(score, flag, suspect) for score in scores), above, ()
    )
    warnings = warnings_of(decided, float(scores.max()))
    return DecidedLot(options, rule_result, flag, suspect, decided.decisions, above, warnings)


def decision_of(score: float, flag_threshold: float, suspect_threshold: float) -> Decision:
    """The decision about one image of a raw score."""
    if score >= flag_threshold:
        return Decision.FLAGGED
    return Decision.SUSPECT if score >= suspect_threshold else Decision.ACCEPTED


def within_budget(scores: FloatArray, threshold: float, budget: int | None) -> float:
    """The threshold, raised where more images than the budget would reach it; images of equal score go together.

    It is raised to the lowest score that is still listed, or where none is, to just above the highest.
    """
    if budget is None or (scores >= threshold).sum() <= budget:
        return threshold
    first_left_out = np.sort(scores)[-budget - 1]
    listed = scores[scores > first_left_out]
    return float(listed.min()) if len(listed) else float(np.nextafter(first_left_out, inf))


def warnings_of(decided: DecidedLot, largest: float) -> tuple[str, ...]:
    """What the reader must know before trusting the decision; a lot that known good parts decide may be all bad."""
    warnings, image_count, listed = [], len(decided.decisions), int(decided.listed.sum())
    if largest < ALIKE:
        warnings.append(
            f"All images look the same: no place in any of them is further than {largest:.4f} from the others, where "
            "2 is the most. Blank photographs, or one part photographed again and again: look at the camera."
        )
    if image_count < MIN_IMAGES and decided.flag_basis is Basis.LOT:
        scored = "Only 1 image was scored" if image_count == 1 else f"Only {image_count} images were scored"
        warnings.append(
            f"{scored}: too few to tell by their own scores which are defective, and too few for the "
            "score, which is scaled by their extremes. Nothing is flagged; give a threshold, such as the one of an "
            "earlier run, or score more parts together."
        )
    elif not isfinite(decided.flag_threshold) and not listed:
        warnings.append(
            "Not separable: no image stands out from the others more than in a lot without defects. "
            "Nothing is flagged or suspect, which does not mean that all are good: look at the most anomalous ones."
        )
    if decided.rule.basis is not Basis.GOOD and decided.above_count > MAX_ANOMALOUS * image_count:
        warnings.append(
            f"{decided.above_count} of {image_count} images look anomalous. Mutual scoring assumes that most images "
            "are good, so scores of this lot may be wrong in both directions."
        )
    if listed < decided.above_count:
        warnings.append(
            f"{decided.above_count} images lie above the threshold, but the review budget allows fewer: only the "
            f"{listed} most anomalous, from a raw score of {decided.suspect_threshold:.4f}, are listed."
        )
    return tuple(warnings)


def standing_thresholds(good_scores: NDArray[Any], options: Decisions) -> tuple[float, float]:
    """From which raw scores on photographs that come one by one are flagged and suspect; infinite for never.

    Whether anything is flagged in a lot depends on the lot's highest score. Here it must not depend on what has come,
    so the good parts are taken for a lot with one that is odd beyond doubt.

    Args:
        good_scores: (G,), of known good parts, each scored with itself left out.
        options: what the user chose; good images are expected to be flagged among G further ones.
    """
    good, fixed = np.asarray(good_scores, dtype=np.float64), options.threshold
    flag, suspect = (inf, inf) if fixed is None else (fixed, fixed)
    if len(good) < MIN_IMAGES:
        return flag, suspect
    beyond_doubt = good.max() + 1000 * (np.ptp(good) + ALIKE)
    rule_result = lot_thresholds(
        np.append(good, beyond_doubt),
        false_alarms=options.false_alarms,
        suspects=options.suspects,
        good_scores=good,
    )
    flag = rule_result.flag_threshold if fixed is None else fixed
    return flag, min(flag, rule_result.suspect_threshold) if options.suspects else flag
