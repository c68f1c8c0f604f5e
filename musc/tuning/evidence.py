"""What images that people judged say of several ways to score them: AUROC with its errors, and defects found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

FALSE_ALARMS = 0.05
"""Part of the good images above the threshold at which found defects are counted."""
NORMAL_90 = 1.645
"""Standard errors on both sides of a mean that hold the truth in 9 of 10 cases."""


@dataclass(frozen=True)
class Evidence:
    """How K choices rank the same D defective and G good images."""

    auroc: FloatArray
    """(K,), the chance that a defective image outranks a good one, a tie counting one half."""
    covariance: FloatArray
    """(K, K), of the AUROCs: how far they are from those of very many images, together."""
    found: NDArray[np.int64]
    """(K,), defective images above the threshold at which `FALSE_ALARMS` of the good ones lie."""
    false: NDArray[np.int64]
    """(K,), good images above it."""
    defective_count: int
    good_count: int

    @property
    def of_a_pair(self) -> float:
        """Variance that is added to all: perfect order of few images, whose own variance is 0, says little."""
        return 0.25 / (self.defective_count * self.good_count)

    def interval(self, choice: int) -> tuple[float, float]:
        """In which the AUROC of a choice lies in 9 of 10 cases."""
        error = NORMAL_90 * float(np.sqrt(self.covariance[choice, choice] + self.of_a_pair))
        return max(0.0, float(self.auroc[choice]) - error), min(1.0, float(self.auroc[choice]) + error)


def weigh(scores: ArrayLike, defective: ArrayLike) -> Evidence:
    """Compare K choices on judged images.

    The covariance is that of placements (E. DeLong, D. DeLong, D. Clarke-Pearson 1988, "Comparing the areas under two
    or more correlated receiver operating characteristic curves").

    Args:
        scores: (K, N) finite, higher where more anomalous.
        defective: bool (N,), at least two of each kind.

    Raises:
        ValueError: if the shapes do not fit, scores are not finite, or there are fewer than two of a kind.
    """
    values, bad = np.asarray(scores, dtype=np.float64), np.asarray(defective, dtype=bool)
    if values.ndim != 2 or values.shape[1:] != bad.shape or not np.isfinite(values).all():
        raise ValueError(
            f"scores must be finite, a row for each choice and a column for each verdict, got shape {values.shape} for "
            f"{bad.size} verdicts; leave out images without a score"
        )
    counts = int(bad.sum()), int((~bad).sum())
    if min(counts) < 2:
        raise ValueError(
            f"verdicts must be 2 or more of each kind, got {counts[0]} defective and {counts[1]} good; judge more"
        )
    higher, lower = values[:, bad, None], values[:, None, ~bad]
    outranked = (higher > lower) + 0.5 * (higher == lower)
    auroc = outranked.mean(axis=(1, 2))
    covariance = np.atleast_2d(np.cov(outranked.mean(axis=2))) / counts[0]
    covariance = covariance + np.atleast_2d(np.cov(outranked.mean(axis=1))) / counts[1]
    thresholds = np.quantile(values[:, ~bad], 1 - FALSE_ALARMS, axis=1, method="higher")[:, None]
    return Evidence(
        auroc=auroc,
        covariance=covariance,
        found=(values[:, bad] > thresholds).sum(axis=1),
        false=(values[:, ~bad] > thresholds).sum(axis=1),
        defective_count=counts[0],
        good_count=counts[1],
    )
