"""Known good parts decide by counting: what they promise holds for any distribution."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musc.decisions.threshold_from_good_parts import conformal_p_values, conformal_threshold, smallest_share

SCORES = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), min_size=1, max_size=30)


@given(SCORES, SCORES)
def test_p_values_are_ranks_in_plain_loops(scores: list[float], good: list[float]) -> None:
    found = conformal_p_values(np.array(scores), np.array(good))
    for score, p_value in zip(scores, found, strict=True):
        assert p_value == (1 + sum(other >= score for other in good)) / (len(good) + 1)


@given(SCORES, SCORES, st.floats(0, 0.9))
def test_threshold_lists_those_whose_p_value_is_at_most_the_share(
    scores: list[float], good: list[float], share: float
) -> None:
    listed = np.array(scores) >= conformal_threshold(np.array(good), share)
    promised = max(share, smallest_share(len(good))) + 1e-9
    np.testing.assert_array_equal(listed, conformal_p_values(np.array(scores), np.array(good)) <= promised)


@pytest.mark.parametrize("good", [10, 20, 30, 99])
@pytest.mark.parametrize("share", [0.03, 0.1, 0.2])
def test_share_of_good_parts_listed_is_what_is_promised(good: int, share: float) -> None:
    """Heavy-tailed scores; the interval is four standard errors over the draws."""
    rng = np.random.default_rng(good)
    drawn = [np.exp(rng.normal(size=good + 40)) for _ in range(500)]
    listed = np.array([(lot[good:] >= conformal_threshold(lot[:good], share)).mean() for lot in drawn])
    promised = max(1, int(share * (good + 1) + 1e-9)) / (good + 1)
    assert listed.mean() == pytest.approx(promised, abs=4 * listed.std() / sqrt(len(listed)))


def test_p_values_of_good_parts_are_uniform() -> None:
    rng = np.random.default_rng(0)
    drawn = np.exp(rng.normal(size=(2000, 20)))
    found = np.array([conformal_p_values(lot[:1], lot[1:])[0] for lot in drawn])
    for rank in range(1, 21):
        assert (found <= rank / 20 + 1e-9).mean() == pytest.approx(rank / 20, abs=0.05)
