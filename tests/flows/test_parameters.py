"""A deployment and a shell line read alike: a flow's parameters are the fields of its request, described by them."""

from inspect import signature
from typing import Any

import pytest

from musc.settings import Settings
from planning.requests import BenchmarkRequest, LotRequest, NightRequest, Request
from planning.tuning.request import TuneRequest


@pytest.fixture
def flows(prefect_home: Any) -> dict[type[Request], Any]:
    """The flows, imported with settings of the tests' own."""
    from flows.benchmark import benchmark
    from flows.score_lot import score_lot
    from flows.score_lots import score_lots
    from flows.tune import tune

    return {LotRequest: score_lot, NightRequest: score_lots, BenchmarkRequest: benchmark, TuneRequest: tune}


@pytest.mark.parametrize("kind", [LotRequest, NightRequest, BenchmarkRequest, TuneRequest])
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
        if kind is TuneRequest:
            continue
        model = kind.model_fields["settings"].annotation
        assert model is not None
        settings = form["definitions"][model.__name__]["properties"]
        interval = settings["interval"]
        assert (interval["default"], interval["description"][:9]) == ([0.0, 0.3], "Fractions")
        references = settings["references"]
        assert {"minimum": 1, "type": "integer"} in references["anyOf"]


TEXTS = {"image_size": "64", "layers": "0,1", "degrees": "1,3", "interval": "0,0.3", "rscin_windows": "1"}


def test_server_accepts_texts_where_the_command_line_does(flows: dict[type[Request], Any]) -> None:
    from prefect.utilities.callables import parameter_schema
    from prefect.utilities.schema_tools.validation import validate

    for given in (
        {"settings": TEXTS, "maps": "png,tiff", "export": "csv"},
        {"settings": {**TEXTS, "image_size": "64x96", "references_from": ["runs/a"]}, "maps": ["png"]},
        {"resources": {"memory": "2GB"}, "settings": {"image_size": [64, 96]}, "export": ["csv", "coco"]},
    ):
        form = parameter_schema(flows[LotRequest].fn).model_dump_for_openapi()
        validate({"folder": "lots/today", **given}, form, raise_on_error=True)
        flows[LotRequest].validate_parameters({"folder": "lots/today", **given})
    request = LotRequest(folder="x", settings=Settings(**{**TEXTS}), maps="png,tiff")
    assert (request.settings.image_size, request.settings.layers, request.maps) == (64, (0, 1), ("png", "tiff"))
