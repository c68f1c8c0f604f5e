"""Decisions without labels: which images of a lot to pull, from the lot's own scores.

An image score is the largest of many patch scores, and the largest of many like values follows a generalized extreme
value distribution whatever the values' own (Fisher and Tippett 1928; Jenkinson 1955). Its shape is set to what good
parts on real photographs show, whose dust and reflections make the upper tail heavier than Gumbel's; location and scale
are fitted to the lot, as a line through a probability plot of the lower scores, so that defects do not bend it. What a
*clean* lot of the same size would do under the same fit is simulated, which accounts for
the uncertainty of small lots: from it come the threshold that a stated number of good images exceeds, and the test
whether the lot holds anything to flag at all.

Raw scores are used: they are distances, so a fixed threshold keeps its meaning from night to night, and the images of
a lot stay independent. Rescored ones are scaled by the lot's own extremes and averaged over neighbours.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musc.settings import Decisions

FloatArray = NDArray[np.float64]

EXTREME_VALUE = "generalized extreme value"
KNOWN_GOOD = "known good parts"
FIXED = "fixed threshold"
FLAGGED, ACCEPTED = "flagged", "accepted"

SHAPE = 0.1
"""Of the distribution of good images' scores; 0 is Gumbel's. With 0.1 good parts on real photographs exceed the
threshold as often as stated (docs/decisions.md). It cannot be fitted to a lot, whose upper tail may hold defects."""
GUMBEL = 0.0
"""The shape of Gumbel's distribution."""
MIN_IMAGES = 8
"""Below this a lot says too little about its own good images for any rule."""
ALIKE = 0.01
"""Below this distance images differ only by rounding or sensor noise."""
CLEAN_LOTS_FLAGGED = 0.1
"""Fraction of the lots without defects in which something is flagged all the same."""
MAX_ANOMALOUS = 0.4
"""Above this part of the lot, mutual scoring's assumption that most images are good is in doubt."""
BULK = 0.98
"""Fraction of the good images below the limit beyond which scores are taken for defects while fitting."""
FITTED = 0.8
"""Fraction of the images taken for good, the lowest, through which the line is fitted."""
FITS = 25
"""Most repetitions of the fit; it settles after about four."""
SIMULATED_LOTS, SIMULATED_IMAGES = 2000, 1_000_000
"""Most clean lots simulated, and most images in them together."""


@dataclass(frozen=True)
class Decision:
    """What was decided about N images."""

    rule: Decisions
    name: str
    """`generalized extreme value`, `known good parts` or `fixed threshold`."""
    separable: bool
    """Whether anything stands out; always so for a threshold that the lot's own scores do not decide."""
    threshold: float
    """Raw score at and above which images are flagged; NaN if the lot is not separable."""
    above_count: int
    """Images at or above the rule's threshold, before the review budget."""
    flagged: NDArray[np.bool_]
    """(N,)."""
    warnings: tuple[str, ...]
    """Plain sentences for the person who reads the result."""

    @property
    def labels(self) -> list[str]:
        """`flagged` or `accepted` for every image."""
        return [FLAGGED if flagged else ACCEPTED for flagged in self.flagged]


def decide(
    raw_scores: NDArray[Any], rule: Decisions | None = None, good_scores: NDArray[Any] | None = None
) -> Decision:
    """Choose the images of a lot that someone should look at.

    Args:
        raw_scores: (N,), image scores before RsCIN; higher is more anomalous.
        rule: what the user chose; the defaults unless given.
        good_scores: (G,), those of known good parts, which decide the threshold if there are at least `MIN_IMAGES` and
            the rule names none.

    Raises:
        ValueError: unless there is at least one score and all are finite.
    """
    rule = rule or Decisions()
    scores = np.asarray(raw_scores, dtype=np.float64)
    if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
        raise ValueError(
            f"raw_scores must be finite scores on one axis (N,), got shape {scores.shape} with "
            f"{int((~np.isfinite(scores)).sum())} not finite; leave these images out"
        )
    name, threshold = choose_threshold(scores, rule, good_scores)
    separable = bool(np.isfinite(threshold))
    above = int((scores >= threshold).sum())
    threshold = within_budget(scores, threshold, rule.review_budget)
    flagged = scores >= threshold
    warnings = warnings_of(
        len(scores), above, int(flagged.sum()), separable, threshold, float(scores.max()), by_lot=name != KNOWN_GOOD
    )
    return Decision(rule, name, separable, threshold, above, flagged, warnings)


def choose_threshold(scores: FloatArray, rule: Decisions, good_scores: NDArray[Any] | None) -> tuple[str, float]:
    """The name of what decides, and the raw score at and above which images are flagged; NaN if nothing stands out."""
    if rule.threshold is not None:
        return FIXED, rule.threshold
    if good_scores is not None and len(good_scores) >= MIN_IMAGES:
        return KNOWN_GOOD, good_threshold(np.asarray(good_scores, dtype=np.float64), rule.false_alarms)
    return EXTREME_VALUE, own_threshold(scores, rule.false_alarms)


def good_threshold(good_scores: FloatArray, false_alarms: float) -> float:
    """The raw score that `false_alarms` of as many further good parts would reach.

    The same fit as for a lot, without the question whether the lot holds anything to flag: a few bad photographs among
    the good ones do not bend it.

    Args:
        good_scores: (G,), of known good parts, each scored against the others.
        false_alarms: good images expected to be flagged among G.
    """
    location, scale = fit_bulk(np.sort(good_scores))
    if scale <= 0:
        return float(np.nextafter(good_scores.max(), np.inf))
    return float(location + scale * clean_lot(len(good_scores), false_alarms)[0])


def own_threshold(scores: FloatArray, false_alarms: float) -> float:
    """The raw score that `false_alarms` good images of such a lot reach; NaN if nothing stands out.

    Args:
        scores: (N,).
        false_alarms: good images expected to be flagged.
    """
    if len(scores) < MIN_IMAGES:
        return float("nan")
    location, scale = fit_bulk(np.sort(scores))
    if scale <= 0:
        return float("nan")
    level, largest = clean_lot(len(scores), false_alarms)
    if (scores.max() - location) / scale <= largest:
        return float("nan")
    return float(location + scale * level)


def fit_bulk(ordered: FloatArray, shape: float = SHAPE) -> tuple[float, float]:
    """Location and scale of the good images' scores, as a generalized extreme value distribution.

    Args:
        ordered: (N,), ascending.
        shape: of the distribution.

    Returns:
        Location and scale of a line fitted to the probability plot; scale 0 if all the lower scores are equal.
    """
    limit = standard_quantiles(BULK, shape)
    half = (len(ordered) + 1) // 2
    count, good = half, len(ordered)
    location = scale = 0.0
    for _ in range(FITS):
        positions = (np.arange(1, count + 1) - 0.44) / (good + 0.12)  # Gringorten's, for extreme values
        expected = standard_quantiles(positions, shape)
        centred = expected - expected.mean()
        scale = float(centred @ ordered[:count] / (centred @ centred))
        location = float(ordered[:count].mean() - scale * expected.mean())
        below = max(int(np.searchsorted(ordered, location + scale * limit, side="right")), half)
        before, good = good, min(len(ordered), round(below / BULK))
        count = ceil(FITTED * good)
        if good == before:
            break
    return location, scale


@lru_cache(maxsize=64)
def clean_lot(image_count: int, false_alarms: float) -> tuple[float, float]:
    """What a lot without defects does under the same fit, simulated; a fixed seed gives the same figures every time.

    Args:
        image_count: N.
        false_alarms: images.

    Returns:
        In units of the fitted scale from the fitted location: the level that `false_alarms` images of a lot reach on
        average, and the one that the largest score of a lot stays below in all but `CLEAN_LOTS_FLAGGED` of the lots.
    """
    lot_count = max(1, min(SIMULATED_LOTS, SIMULATED_IMAGES // image_count))
    uniform = np.random.default_rng(0).random((lot_count, image_count))
    lots = standard_quantiles(np.sort(uniform, axis=1).clip(1e-300, 1 - 1e-16))
    fits = np.array([fit_bulk(lot) for lot in lots])
    standard = (lots - fits[:, :1]) / np.maximum(fits[:, 1:], 1e-12)
    level = float(np.quantile(standard, max(0.0, 1 - false_alarms / image_count)))
    return level, float(np.quantile(standard[:, -1], 1 - CLEAN_LOTS_FLAGGED))


def standard_quantiles(probabilities: Any, shape: float = SHAPE) -> Any:
    """Quantiles of the generalized extreme value distribution of location 0 and scale 1."""
    reduced = -np.log(-np.log(probabilities))  # Gumbel's, the limit of shape 0
    return np.expm1(shape * reduced) / shape if shape else reduced


def within_budget(scores: FloatArray, threshold: float, budget: int | None) -> float:
    """The threshold, raised where more images than the budget would be flagged; images of equal score go together.

    It is raised to the lowest score that is still flagged, or where none is, to just above the highest.
    """
    if budget is None or (scores >= threshold).sum() <= budget:
        return threshold
    first_left_out = np.sort(scores)[-budget - 1]
    flagged = scores[scores > first_left_out]
    return float(flagged.min()) if len(flagged) else float(np.nextafter(first_left_out, np.inf))


def warnings_of(
    image_count: int,
    above: int,
    flagged: int,
    separable: bool,
    threshold: float,
    largest: float,
    *,
    by_lot: bool = True,
) -> tuple[str, ...]:
    """What the reader must know before trusting the decision; a lot that known good parts decide may be all bad."""
    warnings = []
    if largest < ALIKE:
        warnings.append(
            f"All images look the same: no place in any of them is further than {largest:.4f} from the others, where "
            "2 is the most. Blank photographs, or one part photographed again and again: look at the camera."
        )
    if image_count < MIN_IMAGES and not separable:
        count = "1 image was" if image_count == 1 else f"{image_count} images were"
        warnings.append(
            f"Only {count} scored: too few to tell by their own scores which are defective, and too few for the "
            "score, which is scaled by their extremes. Nothing is flagged; give a threshold, such as the one of an "
            "earlier run, or score more parts together."
        )
    elif not separable:
        warnings.append(
            "Not separable: no image stands out from the others more than in a lot without defects. "
            "Nothing is flagged, which does not mean that all are good: look at the most anomalous ones, or give a "
            "threshold, a raw score from which on images are flagged."
        )
    if by_lot and above > MAX_ANOMALOUS * image_count:
        warnings.append(
            f"{above} of {image_count} images look anomalous. Mutual scoring assumes that most images are good, "
            "so scores of this lot may be wrong in both directions."
        )
    if flagged < above:
        warnings.append(
            f"{above} images lie above the threshold, but the review budget allows fewer: only the {flagged} most "
            f"anomalous, from a raw score of {threshold:.4f}, are flagged."
        )
    return tuple(warnings)
