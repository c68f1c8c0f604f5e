"""What differs from place to place: where a value comes from, and what is refused."""

import re
from pathlib import Path

import pytest
import yaml

from planning.place import Place, place_from
from planning.requests import NightRequest


def test_option_wins_over_environment_over_what_the_server_keeps() -> None:
    environment = {"MUSC_ROOT": "/environment", "MUSC_OUTPUT": "/environment", "MUSC_OTHER": "x"}
    kept = {"musc_root": "/kept", "musc_output": "/kept", "musc_device": "cpu", "musc_night_maps": []}
    place, sources = place_from({"root": "/given"}, environment, kept)
    assert (place.root, place.output, place.device, place.timezone) == (
        "/given",
        "/environment",
        "cpu",
        "Europe/Berlin",
    )
    assert sources["root"] == "given"
    assert sources["output"] == "of the environment, MUSC_OUTPUT"
    assert sources["device"] == "kept"
    assert sources["timezone"] == "default"


def test_parameters_of_a_night_hold_device_engine_and_what_else_is_given() -> None:
    place = Place(root="/lots", device="cuda:1", options='{"maps": "png", "resources": {"memory": "8GB"}}')
    assert place.night_parameters == {
        "root": "/lots",
        "output": "musc-results",
        "maps": "png",
        "resources": {"device": "cuda:1", "engine": "threads", "memory": "8GB"},
    }
    assert place.variables["musc_night_maps"] == "png"
    assert place.variables["musc_night_resources"] == place.night_parameters["resources"]
    assert place.variables["musc_night_since"] is None
    assert place.variables["musc_night_export"] == []
    assert place.variables["musc_root"] == "/lots"


def test_deployments_refer_to_variables_that_a_place_has_and_nights_to_every_parameter() -> None:
    text = (Path(__file__).parents[2] / "prefect.yaml").read_text("utf-8")
    variables = Place().variables
    assert set(re.findall(r"prefect\.variables\.(\w+)", text)) | {"musc_options", "musc_alert", "musc_overdue"} == set(
        variables
    )
    deployments = {one["name"]: one for one in yaml.safe_load(text)["deployments"]}
    for name in ("nightly-lots", "flight-check"):
        assert set(deployments[name]["parameters"]) == set(NightRequest.model_fields)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"schedule": "at one"}, "schedule must be five fields of cron, got 'at one'"),
        ({"timezone": "Mars"}, "timezone must be a name such as Europe/Berlin, got 'Mars'"),
        ({"options": "{"}, "options must be JSON, got '{'"),
        ({"options": "[1]"}, r"options must be a JSON object, got '\[1\]'"),
        ({"options": '{"root": "x"}'}, "options must not hold root.* give --root"),
        ({"options": '{"export": "pdf"}'}, "export must be"),
        ({"options": '{"settings": {"backbones": 1}}'}, "backbones is none of the Settings"),
        ({"overdue": 0}, "overdue must be greater than 0"),
        ({"root": "s3://key:hidden@bucket/lots"}, "root must"),
    ],
)
def test_value_that_cannot_be_is_refused_by_name(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Place(**given)
