"""Evidence of choices: AUROC and its covariance against plain loops, and what is counted as found."""

import numpy as np
import pytest

from musc.tuning.evidence import weigh

RNG = np.random.default_rng(3)
BAD = np.array([True] * 4 + [False] * 7)
SCORES = np.round(RNG.normal(size=(3, 11)) + BAD * [[0.5], [1.0], [3.0]], 1)  # rounded: some are equal


def plain_placements(scores: np.ndarray) -> tuple[list[float], list[float]]:
    """For each defective image the share of good ones below, and for each good image of defective ones above."""
    bad, good = scores[BAD], scores[~BAD]

    def outranks(one: float, other: float) -> float:
        return 1.0 if one > other else 0.5 if one == other else 0.0

    of_bad = [sum(outranks(one, other) for other in good) / len(good) for one in bad]
    return of_bad, [sum(outranks(one, other) for one in bad) / len(bad) for other in good]


def plain_covariance(one: list[float], other: list[float]) -> float:
    means = sum(one) / len(one), sum(other) / len(other)
    return sum((a - means[0]) * (b - means[1]) for a, b in zip(one, other, strict=True)) / (len(one) - 1) / len(one)


def test_auroc_and_covariance_are_those_of_plain_loops() -> None:
    evidence = weigh(SCORES, BAD)
    places = [plain_placements(row) for row in SCORES]
    for one in range(3):
        assert evidence.auroc[one] == pytest.approx(sum(places[one][0]) / 4)
        for other in range(3):
            expected = sum(plain_covariance(places[one][kind], places[other][kind]) for kind in (0, 1))
            assert evidence.covariance[one, other] == pytest.approx(expected)


def test_found_are_defective_images_above_all_but_the_allowed_good_ones() -> None:
    good = np.arange(40.0)
    evidence = weigh([np.concatenate([[100.0, 38.5, 37.5, 3.0], good])], np.arange(44) < 4)
    assert (evidence.found[0], evidence.false[0]) == (2, 1), "38.05 is the quantile, 39 of the 40 are not above 38"


def test_interval_holds_the_auroc_and_narrows_with_more_images() -> None:
    few, many = (weigh([np.concatenate([np.ones(n), np.zeros(n)])], np.arange(2 * n) < n) for n in (5, 50))
    assert few.interval(0)[0] < many.interval(0)[0] < few.interval(0)[1] == 1


@pytest.mark.parametrize(
    ("scores", "bad", "message"),
    [
        (np.ones((2, 3)), [True, True, False], "2 or more of each kind, got 2 defective and 1 good"),
        (np.ones((2, 3)), [True, False], "a column for each verdict"),
        (np.full((1, 4), np.nan), [True, True, False, False], "must be finite"),
    ],
)
def test_evidence_is_refused_by_name(scores: np.ndarray, bad: list[bool], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        weigh(scores, bad)
