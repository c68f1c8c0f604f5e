"""A deployment and a shell line read alike: a flow's parameters are the fields of its request, described by them."""

from inspect import signature
from typing import Any

import pytest

from planning.requests import BenchmarkRequest, LotRequest, NightRequest, Request


@pytest.fixture
def flows(prefect_home: Any) -> dict[type[Request], Any]:
    """The flows, imported with settings of the tests' own."""
    from flows.benchmark import benchmark
    from flows.score_lot import score_lot
    from flows.score_lots import score_lots

    return {LotRequest: score_lot, NightRequest: score_lots, BenchmarkRequest: benchmark}


@pytest.mark.parametrize("kind", [LotRequest, NightRequest, BenchmarkRequest])
def test_flow_has_the_fields_of_its_request(flows: dict[type[Request], Any], kind: type[Request]) -> None:
    parameters = signature(flows[kind].fn).parameters
    assert set(parameters) == set(kind.model_fields)
    for name, field in kind.model_fields.items():
        assert (parameters[name].default is parameters[name].empty) == field.is_required(), name
        if not field.is_required():
            assert parameters[name].default == field.default, name


def test_form_of_a_deployment_shows_every_description_default_and_range(flows: dict[type[Request], Any]) -> None:
    from prefect.utilities.callables import parameter_schema

    for kind, flow in flows.items():
        form = parameter_schema(flow.fn).model_dump()
        for name, field in kind.model_fields.items():
            if field.description:
                assert form["properties"][name]["description"] == field.description
        interval = form["definitions"]["Settings"]["properties"]["interval"]
        assert (interval["default"], interval["description"][:9]) == ([0.0, 0.3], "Fractions")
        references = form["definitions"]["Settings"]["properties"]["references"]
        assert {"minimum": 1, "type": "integer"} in references["anyOf"]
