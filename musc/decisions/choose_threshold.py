"""The lot's own rule: from which raw scores on images are flagged or suspect, and how often a good part scores as high.

Flagged are images beyond what a stated number of good ones reach; suspect are the next ones to look at, a list which a
stated share of the good images is expected to be on. Thresholds come from the lot itself (`reach_of_good_parts`, and
`two_groups` where its scores fall in two), from earlier nights of the product scored in the same way
(`earlier_nights`), or from known good parts (`conformal`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musc.decisions.decision_words import Basis
from musc.decisions.threshold_from_earlier_nights import height_at, heights_of_good_parts
from musc.decisions.threshold_from_good_parts import conformal_p_values, conformal_threshold, smallest_share
from musc.decisions.threshold_from_scores import USUAL_SHARE, Reach, reach_of
from musc.decisions.two_groups import Humps, find_humps

FloatArray = NDArray[np.float64]

MIN_IMAGES = 8
"""Below this, neither a lot nor known good parts say how far good ones reach."""


@dataclass(frozen=True)
class LotDecision:
    """The thresholds of a lot and what they rest on."""

    flag_threshold: float
    """Raw score at and above which images are flagged; infinite where none can be."""
    suspect_threshold: float
    """Raw score at and above which images are suspect, at most `flag_threshold`; infinite where none is."""
    p_values: NDArray[np.float64]
    """(N,) in (0, 1]: how often a good part scores as high."""
    basis: Basis
    reference_count: int
    """From how many parts the thresholds come."""
    remark: str
    """A sentence for people where something must be said, such as two groups in the lot; else empty."""


def lot_thresholds(
    raw_scores: NDArray[Any],
    *,
    false_alarms: float = 0.5,
    suspects: float = USUAL_SHARE,
    good_scores: NDArray[Any] | None = None,
    earlier_nights: Sequence[NDArray[Any]] = (),
) -> LotDecision:
    """Find from which scores on a lot's images are flagged or suspect.

    Args:
        raw_scores: (N,), N ≥ 1, finite; higher is more anomalous.
        false_alarms: good images expected to be flagged in a lot that holds defects.
        suspects: share of the good images expected on the list of flagged and suspect ones, 0 for no list.
        good_scores: (M,), leave-one-out scores of known good parts, which decide if there are at least `MIN_IMAGES`.
        earlier_nights: (n,) raw scores of each earlier night with the same settings, oldest first.

    Raises:
        ValueError: unless there is at least one score and all are finite.
    """
    scores = finite_scores("raw_scores", raw_scores)
    if good_scores is not None and len(good_scores) >= MIN_IMAGES:
        return by_good_parts(scores, finite_scores("good_scores", good_scores), false_alarms, suspects)
    heights, reach = heights_of_good_parts(earlier_nights), reach_of(scores)
    if len(heights) and len(scores) >= MIN_IMAGES and reach and not find_humps(scores):
        return by_nights(scores, heights, reach, false_alarms, suspects)
    return by_lot(scores, false_alarms, suspects)


def by_good_parts(scores: FloatArray, good: FloatArray, false_alarms: float, suspects: float) -> LotDecision:
    """Suspects by the conformal quantile of known good parts; flagged are those far beyond all of them."""
    reach = reach_of(good)
    flag = reach.flag_threshold(scores, false_alarms) if reach else inf
    flag = max(flag, float(np.nextafter(good.max(), inf)))
    suspect = min(flag, conformal_threshold(good, suspects)) if suspects else flag
    least, remark = smallest_share(len(good)), ""
    if 0 < suspects < least:
        remark = (
            f"{len(good)} known good parts can promise no less than 1 good part in {len(good) + 1} on the list "
            f"({least:.1%}); {suspects:.1%} needs {ceil(1 / suspects - 1e-9) - 1}."
        )
    return LotDecision(flag, suspect, conformal_p_values(scores, good), Basis.GOOD, len(good), remark)


def by_nights(
    scores: FloatArray, heights: FloatArray, reach: Reach, false_alarms: float, suspects: float
) -> LotDecision:
    """By how high good parts of earlier nights scored, at the lot's own median and spread."""

    def at(height: float) -> float:
        return reach.centre + reach.height * height

    usual = Reach(reach.centre, at(height_at(heights, USUAL_SHARE)) - reach.centre)
    flag = max(usual.flag_threshold(scores, false_alarms), at(float(np.nextafter(heights[-1], inf))))
    suspect = min(flag, at(height_at(heights, suspects))) if suspects else flag
    p_values = conformal_p_values((scores - reach.centre) / reach.height, heights)
    remark = "" if scores.max() >= suspect else "No image scores higher than good ones of earlier nights do."
    return LotDecision(flag, suspect, p_values, Basis.NIGHTS, len(heights), remark)


def by_lot(scores: FloatArray, false_alarms: float, suspects: float) -> LotDecision:
    """The lot's own rule: by the lower half of its scores, or by the lower of two groups."""
    humps = find_humps(scores)
    if humps:
        return by_lower_group(scores, humps, false_alarms, suspects)
    reach = reach_of(scores) if len(scores) >= MIN_IMAGES else None
    if reach is None:
        return by_rank(scores, suspects)
    flag, p_values = reach.flag_threshold(scores, false_alarms), reach.p_values(scores)
    if not suspects:
        return LotDecision(flag, flag, p_values, Basis.LOT, len(scores), "")
    line, top = reach.score_at(suspects), top_threshold(scores, suspects)
    remark = ""
    if scores.max() < min(line, flag):
        remark = "No image stands out from the others more than good ones may."
        if top < inf:
            remark = (
                "No image stands out from the others more than good ones may: suspect are only the highest scores, "
                f"{suspects:.0%} of the lot."
            )
    return LotDecision(flag, min(line, top, flag), p_values, Basis.LOT, len(scores), remark)


def by_lower_group(scores: FloatArray, humps: Humps, false_alarms: float, suspects: float) -> LotDecision:
    """The higher of two groups is suspect; the lower one stands for the good parts."""
    lower = scores[scores < humps.boundary]
    centre = float(np.median(lower))
    own = reach_of(lower) if len(lower) >= MIN_IMAGES else None
    reach = Reach(centre, min(humps.boundary - centre, own.height if own else inf))
    flag = max(humps.boundary, reach.flag_threshold(scores, false_alarms))
    suspect = humps.boundary if suspects else flag
    remark = (
        f"Two groups: {humps.lower_count} and {humps.upper_count} images. Their scores fall in two; "
        "the higher ones are defective parts, or another variant."
    )
    return LotDecision(flag, suspect, reach.p_values(scores), Basis.LOT, humps.lower_count, remark)


def by_rank(scores: FloatArray, suspects: float) -> LotDecision:
    """The top of a lot that says nothing of its good parts: too small, or most scores equal."""
    as_high = len(scores) - np.searchsorted(np.sort(scores), scores, side="left")
    p_values = np.asarray(as_high / len(scores), dtype=np.float64)
    if not suspects:
        return LotDecision(inf, inf, p_values, Basis.LOT, len(scores), "")
    threshold = min(top_threshold(scores, suspects), float(scores.max()))
    listed = int((scores >= threshold).sum())
    why = "too few images" if len(scores) < MIN_IMAGES else "too many equal scores"
    remark = f"The lot has {why} to tell good from defective by itself: the {counted(listed)} suspect."
    return LotDecision(inf, threshold, p_values, Basis.LOT, len(scores), remark)


def top_threshold(scores: FloatArray, share: float) -> float:
    """The score of the last of the highest ones that make up a share of the lot, rounded; infinite for none."""
    count = int(share * len(scores) + 0.5)
    return float(np.sort(scores)[-count]) if count else inf


def counted(listed: int) -> str:
    """The images on the list as the beginning of a clause."""
    return "image with the highest score is" if listed == 1 else f"{listed} images with the highest scores are"


def finite_scores(name: str, values: NDArray[Any]) -> FloatArray:
    """The scores as float64.

    Raises:
        ValueError: unless there is at least one score on one axis and all are finite.
    """
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
        raise ValueError(
            f"{name} must be finite scores on one axis (N,), got shape {scores.shape} with "
            f"{int((~np.isfinite(scores)).sum())} not finite; leave these images out"
        )
    return scores
