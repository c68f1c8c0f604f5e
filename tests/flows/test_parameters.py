"""A deployment and a shell line read alike: a flow and its command share parameters; nights score as lots do."""

from inspect import signature
from types import ModuleType
from typing import Any

import pytest

OF_ONE_LOT = {"folder", "lot", "references_from"}
OF_A_NIGHT = {"root", "since"}


@pytest.fixture
def flow_modules(prefect_home: Any) -> dict[str, ModuleType]:
    """The modules of flows, imported with settings of the tests' own."""
    from flows import benchmark, score_lot, score_lots

    return {"benchmark": benchmark, "score": score_lot, "nightly": score_lots}


@pytest.mark.parametrize(
    ("command", "flow"), [("score", "score_lot"), ("benchmark", "benchmark"), ("nightly", "score_lots")]
)
def test_command_has_the_parameters_of_its_flow(flow_modules: dict[str, ModuleType], command: str, flow: str) -> None:
    from cli import main

    options = set(signature(getattr(main, command)).parameters) - {"verbose"}
    assert options == set(signature(getattr(flow_modules[command], flow).fn).parameters)


def test_night_scores_as_a_single_lot_is_scored(flow_modules: dict[str, ModuleType]) -> None:
    one = dict(signature(flow_modules["score"].score_lot.fn).parameters)
    night = dict(signature(flow_modules["nightly"].score_lots.fn).parameters)
    assert {name: one[name] for name in one.keys() - OF_ONE_LOT} == {
        name: night[name] for name in night.keys() - OF_A_NIGHT
    }
