"""Which of several choices is to be taken, given what few judged images say: a new one only where it is surely better.

The best of many choices on few images looks better than it is. Three things guard against that luck:

- A choice is measured together with its neighbours, choices that share most with it, weighed by how much. One alone
  that looks good is luck; one among good ones is not.
- Its gain over the choice in use is drawn to zero, the more the larger its error is beside the gains that are usual
  (W. James, C. Stein 1961, "Estimation with quadratic loss").
- What is left must exceed a part of its own error, else nothing changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musc.tuning.evidence import Evidence

FloatArray = NDArray[np.float64]
Traits = tuple[str, tuple[int, int], frozenset[int], str]
"""Network, image size, pixels per patch of its layers, and image score."""

USUAL_GAIN = 0.06
"""Standard deviation of the true gains of choices, in AUROC."""
NEAR = (0.9, 0.9, 0.9, 0.1)
"""Weight of a neighbour that differs in network, size, one kind of layer, and image score."""
CAUTION = 0.6
"""Part of its error that the expected gain of a choice must exceed."""


@dataclass(frozen=True)
class Chosen:
    """The choice to be taken, and what is expected of each."""

    choice: int
    """0, the one in use, where no other is surely better."""
    gain: FloatArray
    """(K,), expected AUROC over that of the choice in use."""
    error: FloatArray
    """(K,), its standard error."""


def choose(evidence: Evidence, traits: Sequence[Traits]) -> Chosen:
    """Take the choice that gains most for sure.

    Args:
        evidence: about K choices, of which the first is in use.
        traits: (K,), what of each choice makes it near to others.
    """
    weights = np.array([[nearness(one, other) for other in traits] for one in traits])
    weights /= weights.sum(axis=1, keepdims=True)
    against_used = weights - weights[0]
    measured = against_used @ evidence.auroc
    variance = np.einsum("ij,jk,ik->i", against_used, evidence.covariance, against_used)
    variance += evidence.of_a_pair
    kept = USUAL_GAIN**2 / (USUAL_GAIN**2 + variance)
    gain, error = kept * measured, np.sqrt(kept * variance)
    gain[0] = error[0] = 0
    sure = gain - CAUTION * error
    return Chosen(int(np.argmax(sure)), gain, error)


def nearness(one: Traits, other: Traits) -> float:
    """The weight of a neighbour, 1 for the choice itself.

    >>> one, other = ("a", (64, 64), frozenset({8, 16}), "max"), ("a", (96, 96), frozenset({16}), "max")
    >>> nearness(one, one), round(nearness(one, other), 2)
    (1.0, 0.81)
    """
    differ = one[0] != other[0], one[1] != other[1], len(one[2] ^ other[2]), one[3] != other[3]
    return float(np.prod([share ** int(often) for share, often in zip(NEAR, differ, strict=True)]))
