"""A threshold suggested by verdicts: how likely an image of a raw score is defective, and what a threshold would cost.

The probability is a logistic curve of the raw score, fitted to images that people judged: Platt's calibration (J. Platt
1999, "Probabilistic outputs for support vector machines"), whose smoothed targets keep the curve finite where the
judged images are separated perfectly. People look at flagged images first; since they choose by the score, and the
curve is conditional on the score, that does not bias it, as it would bias a quantile of the judged good images. The
threshold is where a missed defect and a false alarm cost the same (C. Elkan 2001, "The foundations of cost-sensitive
learning"): at the probability 1 / (1 + cost of a miss in false alarms).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MIN_OF_EACH = 10
"""Judged images of each kind below which nothing is suggested: ten events per fitted variable (Peduzzi et al. 1996)."""
MISS_COST = 5.0
"""False alarms that one missed defect is worth."""
STRENGTH = 1e6
"""Inverse of the regularisation: none to speak of, as the smoothed targets suffice."""


@dataclass(frozen=True)
class Calibration:
    """How likely an image is defective, by its raw score."""

    slope: float
    """Per unit of raw score, positive."""
    intercept: float
    good_count: int
    """Judged images it was fitted to."""
    defective_count: int

    def probability(self, raw_scores: NDArray[Any]) -> FloatArray:
        """Of being defective, (N,) in (0, 1)."""
        exponent = np.clip(self.slope * np.asarray(raw_scores, dtype=np.float64) + self.intercept, -700, 700)
        return np.asarray(1 / (1 + np.exp(-exponent)))

    def threshold(self, miss_cost: float = MISS_COST) -> float:
        """The raw score from which on pulling an image costs less than leaving it, at least 0."""
        return max(0.0, float((-np.log(miss_cost) - self.intercept) / self.slope))


@dataclass(frozen=True)
class Expected:
    """What a threshold would do to a lot; counts of images, expected values."""

    pulled: int
    false_alarms: float
    misses: float


def calibrate(raw_scores: NDArray[Any], defective: NDArray[np.bool_]) -> Calibration | None:
    """Fit the curve to judged images.

    Args:
        raw_scores: (N,) of images judged good or defective.
        defective: bool (N,).

    Returns:
        None if there are fewer than `MIN_OF_EACH` of either kind, or if higher scores do not mean more defects, so that
        no threshold on the score makes sense.

    Raises:
        ValueError: if the two do not have the same length, or scores are not finite.
    """
    scores, labels = np.asarray(raw_scores, dtype=np.float64), np.asarray(defective, dtype=bool)
    if scores.shape != labels.shape or scores.ndim != 1 or not np.isfinite(scores).all():
        raise ValueError(
            f"raw_scores must be finite and as many as the verdicts, got shapes {scores.shape} and {labels.shape}; "
            "leave out images without a score"
        )
    bad, good = int(labels.sum()), int((~labels).sum())
    if min(bad, good) < MIN_OF_EACH:
        return None
    from sklearn.linear_model import LogisticRegression  # takes a second to load

    centre, spread = float(scores.mean()), float(scores.std())
    if spread == 0:
        return None
    standard = ((scores - centre) / spread)[:, None]
    target = np.where(labels, (bad + 1) / (bad + 2), 1 / (good + 2))  # Platt's
    fit = LogisticRegression(C=STRENGTH).fit(
        np.concatenate([standard, standard]),
        np.repeat([True, False], len(scores)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    slope = float(fit.coef_[0, 0]) / spread
    if slope <= 0:
        return None
    return Calibration(slope, float(fit.intercept_[0]) - slope * centre, good, bad)


def expected(calibration: Calibration, raw_scores: NDArray[Any], threshold: float) -> Expected:
    """What a threshold is expected to do to a lot.

    Args:
        calibration: as fitted.
        raw_scores: (N,) of the lot.
        threshold: at and above which images are pulled.
    """
    scores = np.asarray(raw_scores, dtype=np.float64)
    probability, pulled = calibration.probability(scores), scores >= threshold
    return Expected(int(pulled.sum()), float((1 - probability[pulled]).sum()), float(probability[~pulled].sum()))
