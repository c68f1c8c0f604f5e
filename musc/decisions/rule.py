"""The lot's own rule: from which raw scores on images are flagged or suspect, and how often a good part scores as high.

Flagged are images beyond what a stated number of good ones reach; suspect are the next ones to look at, a list which a
stated share of the good images is expected to be on. Thresholds come from the lot itself, from earlier nights of the
product scored in the same way, or from known good parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from musc.decisions.threshold import MIN_IMAGES, good_threshold, own_threshold

FloatArray = NDArray[np.float64]

SPREADS = 2.3
"""Lower spreads above the median from which on an image is suspect at the usual share."""
USUAL_SHARE = 0.03
"""The share of good images that `SPREADS` belongs to."""


class Decision(StrEnum):
    """What a run says of an image."""

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


def decide_lot(
    raw_scores: NDArray[Any],
    *,
    false_alarms: float = 0.5,
    suspects: float = USUAL_SHARE,
    good_scores: NDArray[Any] | None = None,
    earlier_nights: Sequence[NDArray[Any]] = (),
) -> LotDecision:
    """Find from which scores on a lot's images are flagged or suspect.

    Args:
        raw_scores: (N,), finite; higher is more anomalous.
        false_alarms: good images expected to be flagged in a lot that holds defects.
        suspects: share of the good images expected on the list of flagged and suspect ones, 0 for no list.
        good_scores: (M,), leave-one-out scores of known good parts.
        earlier_nights: (n,) raw scores of each earlier night with the same settings, oldest first.
    """
    scores = np.asarray(raw_scores, dtype=np.float64)
    known = None if good_scores is None or len(good_scores) < MIN_IMAGES else np.asarray(good_scores, np.float64)
    bulk = scores if known is None else known
    basis = Basis.LOT if known is None else Basis.GOOD
    flag = own_threshold(scores, false_alarms) if known is None else good_threshold(known, false_alarms)
    flag = flag if np.isfinite(flag) else inf
    spread = lower_spread(bulk)
    if len(bulk) < MIN_IMAGES or spread == 0:
        count = ceil(suspects * len(scores))
        suspect = float(np.sort(scores)[-count]) if count else inf
        remark = "Too little is known of good parts: the images with the highest scores are suspect." if count else ""
        ranks = (scores[None, :] >= scores[:, None]).sum(axis=1)
        return LotDecision(flag, min(suspect, flag), ranks / len(scores), basis, len(bulk), remark)
    unit = spread * SPREADS / float(norm.isf(USUAL_SHARE))
    p_values = np.asarray(norm.sf((scores - np.median(bulk)) / unit), dtype=np.float64)
    suspect = float(np.median(bulk) + unit * norm.isf(suspects)) if suspects else inf
    return LotDecision(flag, min(suspect, flag), np.maximum(p_values, 1e-300), basis, len(bulk), "")


def lower_spread(scores: FloatArray) -> float:
    """Root mean square of the lower half about the median, which defects above it do not widen."""
    below = np.sort(scores)[: (len(scores) + 1) // 2] - np.median(scores)
    return float(np.sqrt(np.mean(below**2)))
