"""The lot's own rule: thresholds, p-values and what they rest on."""

import numpy as np
import pytest

from musc.decisions.rule import Basis, decide_lot

GOOD = np.random.default_rng(3).normal(0.5, 0.02, 60)


def test_rule_suspects_what_stands_out_above_the_lower_half() -> None:
    found = decide_lot(np.append(GOOD, [0.6, 0.61]))
    assert (np.append(GOOD, [0.6, 0.61]) >= found.suspect_threshold)[-2:].all()
    assert (found.suspect_threshold <= GOOD).mean() <= 0.1
    assert found.suspect_threshold <= found.flag_threshold


def test_rule_has_no_list_at_a_share_of_0() -> None:
    found = decide_lot(GOOD, suspects=0)
    assert found.suspect_threshold == found.flag_threshold


def test_rule_gives_lower_p_values_to_higher_scores() -> None:
    found = decide_lot(GOOD)
    assert (np.diff(found.p_values[np.argsort(GOOD)]) <= 0).all()
    assert found.p_values.min() > 0
    assert found.p_values.max() <= 1


def test_rule_rests_on_known_good_parts_where_there_are_enough() -> None:
    assert decide_lot(GOOD, good_scores=GOOD[:20]).basis is Basis.GOOD
    assert decide_lot(GOOD, good_scores=GOOD[:20]).reference_count == 20
    assert decide_lot(GOOD).basis is Basis.LOT


@pytest.mark.parametrize("count", [1, 2, 7])
def test_rule_lists_the_top_of_a_lot_too_small_to_judge(count: int) -> None:
    scores = np.arange(1.0, count + 1)
    found = decide_lot(scores)
    assert (scores >= found.suspect_threshold).sum() == 1
    assert found.remark
