"""Which of several choices is to be taken, given what few judged images say: a new one only where it is surely better.

The best of many choices on few images looks better than it is. Four things guard against that luck:

- One choice is *proven*: it was better than the default on other products. It is where the search starts, unless
  verdicts speak against it; so they need not find again what is known.
- A choice is measured together with its neighbours, choices that share most with it, weighed by how much. One alone
  that looks good is luck; one among good ones is not.
- Its gain over where the search starts is drawn to zero, the more the larger its error is beside the gains that are
  usual (W. James, C. Stein 1961, "Estimation with quadratic loss").
- What is left must exceed its own error, else nothing else is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musc.tuning.evidence import Evidence

FloatArray = NDArray[np.float64]
Traits = tuple[str, tuple[int, int], frozenset[int], str]
"""Network, image size, pixels per patch of its layers, and image score."""

USUAL_GAIN = 0.1
"""Standard deviation of the true gains of choices, in AUROC."""
NEAR = (0.9, 0.9, 0.9, 0.1)
"""Weight of a neighbour that differs in network, size, one kind of layer, and image score."""
CAUTION = 1.0
"""Standard errors that the expected gain of a choice must exceed."""
PROVEN_GAIN, PROVEN_SPREAD = 0.02, 0.03
"""Mean and standard deviation of the gain of the proven choice over products, in AUROC; docs/settings.md has them."""


@dataclass(frozen=True)
class Chosen:
    """The choice to be taken, and what is expected of each."""

    choice: int
    """0, the one in use, where no other is surely better."""
    gain: FloatArray
    """(K,), expected AUROC over that of the choice in use."""
    error: FloatArray
    """(K,), its standard error."""


def choose(evidence: Evidence, traits: Sequence[Traits], proven: int = 0) -> Chosen:
    """Take the choice that gains most for sure.

    Args:
        evidence: about K choices, of which the first is in use.
        traits: (K,), what of each choice makes it near to others.
        proven: the choice that was better on other products; 0 where it is in use, or not among them.
    """
    weights = np.array([[nearness(one, other) for other in traits] for one in traits])
    weights /= weights.sum(axis=1, keepdims=True)
    gain, error = expected_gains(evidence, weights, 0)
    start = 0
    if proven:
        gain[proven], error[proven] = gain_of_proven(evidence, proven)
        start = proven if gain[proven] > 0 else 0
    over_start, doubt = (gain, error) if start == 0 else expected_gains(evidence, weights, start)
    sure = over_start - CAUTION * doubt
    best = int(np.argmax(sure))
    return Chosen(best if sure[best] > 0 else start, gain, error)


def expected_gains(evidence: Evidence, weights: FloatArray, start: int) -> tuple[FloatArray, FloatArray]:
    """Gains over one choice, each measured with its neighbours and drawn to zero by its error, and their errors: (K,).

    Args:
        weights: (K, K), of the neighbours of each choice, summing to 1.
    """
    difference = weights - weights[start]
    measured = difference @ evidence.auroc
    variance = np.einsum("ij,jk,ik->i", difference, evidence.covariance, difference) + evidence.of_a_pair
    kept = USUAL_GAIN**2 / (USUAL_GAIN**2 + variance)
    gain, error = kept * measured, np.sqrt(kept * variance)
    gain[start] = error[start] = 0
    return gain, error


def gain_of_proven(evidence: Evidence, proven: int) -> tuple[float, float]:
    """Gain of the proven choice over the one in use, from what is known of it and what was measured, and its error."""
    covariance = evidence.covariance
    variance = covariance[proven, proven] + covariance[0, 0] - 2 * covariance[0, proven] + evidence.of_a_pair
    kept = PROVEN_SPREAD**2 / (PROVEN_SPREAD**2 + variance)
    measured = evidence.auroc[proven] - evidence.auroc[0]
    return float(PROVEN_GAIN + kept * (measured - PROVEN_GAIN)), float(np.sqrt(kept * variance))


def nearness(one: Traits, other: Traits) -> float:
    """The weight of a neighbour, 1 for the choice itself.

    >>> one, other = ("a", (64, 64), frozenset({8, 16}), "max"), ("a", (96, 96), frozenset({16}), "max")
    >>> nearness(one, one), round(nearness(one, other), 2)
    (1.0, 0.81)
    """
    differ = one[0] != other[0], one[1] != other[1], len(one[2] ^ other[2]), one[3] != other[3]
    return float(np.prod([share ** int(often) for share, often in zip(NEAR, differ, strict=True)]))
