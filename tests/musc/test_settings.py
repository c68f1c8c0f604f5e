"""The method's settings: defaults are the paper's, and each bad value is refused by name."""

import json
import re
from inspect import signature
from typing import Any

import pytest
from pydantic import ValidationError

import musc.backbones
from musc.backbone_families import (
    DINO_MODELS,
    FAMILIES,
    LITE_MODELS,
    PAPER_RSCIN_WINDOWS,
    TEXTURE_NAME,
    TIMM_PREFIX,
)
from musc.lot import score_images
from musc.mutual import mutual_scores
from musc.rscin import rescore
from musc.settings import DEFAULT_BACKBONE, PAPER_BACKBONE, Decisions, Settings
from musc.settings.pydantic_options import Options


def chosen(**given: Any) -> tuple[Any, ...]:
    method = musc.backbones.with_defaults(Settings(**given))
    return method.degrees, method.interval, method.rscin_windows


def test_settings_of_the_papers_backbone_are_the_papers() -> None:
    assert chosen(backbone=PAPER_BACKBONE) == ((1, 3, 5), (0.0, 0.3), (1, 2, 3))


def test_settings_default_to_the_installed_backbone_and_its_own_choices() -> None:
    assert musc.backbones.with_defaults(Settings()).backbone == "efficientnet-lite0" == musc.backbones.names()[0]
    assert chosen() == ((1, 3), (0.0, 0.3), (1,))


def test_settings_given_go_before_those_of_the_backbone() -> None:
    assert chosen(degrees=(7,), rscin_windows=(1, 8)) == ((7,), (0.0, 0.3), (1, 8))


def test_settings_defaults_agree_with_the_functions() -> None:
    assert signature(mutual_scores).parameters["interval"].default == Settings().interval
    assert signature(rescore).parameters["rscin_windows"].default == PAPER_RSCIN_WINDOWS
    assert signature(score_images).parameters["backbone"].default == DEFAULT_BACKBONE


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("degrees", (), "degrees must name at least one neighbourhood side, got none"),
        ("degrees", (1, 2), "degree must be a positive odd number of patches, got 2"),
        ("degrees", (-1,), "degree must be a positive odd number of patches, got -1"),
        ("degrees", (3, 1, 3), "degrees must name each value once, got 3 2 times"),
        ("degrees", 3, "degrees must be written as N,N,…, got 3"),
        ("interval", 0.3, "interval must be written as LOW,HIGH, got 0.3"),
        ("interval", (0.3, 0.0), r"interval must be two fractions .* got \(0.3, 0.0\)"),
        ("interval", (0.0, 30), r"interval must be two fractions .* got \(0.0, 30.0\)"),
        ("interval", (0.0, 0.1, 0.3), r"interval .*got \(0.0, 0.1, 0.3\)"),
        ("rscin_windows", 3, "rscin_windows must be written as N,N,…, got 3"),
        ("rscin_windows", (), r"rscin_windows must be positive counts of images, got \(\)"),
        ("rscin_windows", (0, 1), r"rscin_windows must be positive counts of images, got \(0, 1\)"),
    ],
)
def test_settings_refuses(setting: str, value: Any, message: str) -> None:
    arguments: dict[str, Any] = {setting: value}
    with pytest.raises(ValueError, match=message):
        Settings(**arguments)


def test_settings_cannot_be_changed() -> None:
    method = Settings()
    with pytest.raises(ValidationError):
        method.degrees = (1,)  # type: ignore[misc]


def test_backbone_arguments_are_those_of_load() -> None:
    accepted = signature(musc.backbones.load).parameters
    assert set(Settings().backbone_arguments()) == set(accepted) - {"name", "device"}


def test_backbone_arguments_carry_the_values() -> None:
    settings = Settings(weights="openai", image_size=(112, 98), layers=(1, 2), quick_gelu=True, position_antialias=True)
    assert settings.backbone_arguments() == {
        "weights": "openai",
        "image_size": (112, 98),
        "layers": (1, 2),
        "quick_gelu": True,
        "position_antialias": True,
        "precision": "auto",
    }


def test_settings_are_read_from_texts_as_the_command_line_has_them() -> None:
    read = Settings(degrees="1,3", interval="0,0.2", image_size="32x64", layers="5, 11", references="7")
    assert (read.degrees, read.interval, read.image_size) == ((1, 3), (0.0, 0.2), (32, 64))
    assert (read.layers, read.references, Settings(image_size="518").image_size) == ((5, 11), 7, 518)


def test_settings_go_to_json_and_back() -> None:
    method = Settings(degrees=(3,), image_size=(32, 64), references_from=("runs/a",))
    assert Settings(**json.loads(method.model_dump_json())) == method


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"interval": ("0.5",)}, "interval must be written as LOW,HIGH, got ('0.5',); leave it out for its default"),
        ({"interval": 5}, "interval must be written as LOW,HIGH, got 5; leave it out for its default"),
        ({"interval": "a,b"}, "interval must be a number, got 'a'; leave it out for its default"),
        ({"degrees": "1.5"}, "degrees must be a whole number, got '1.5'; leave it out for its default"),
        ({"keep_aspect": "maybe"}, "keep_aspect must be true or false, got 'maybe'; leave it out for its default"),
    ],
    ids=str,
)
def test_values_of_a_wrong_kind_are_refused_in_plain_words(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        Settings(**given)
    assert str(caught.value) == sentence


def test_an_interval_of_three_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"interval must be written as LOW,HIGH, got \('0.1', '0.2', '0.3'\)"):
        Settings(interval="0.1,0.2,0.3")


def test_help_of_backbone_is_made_from_the_families() -> None:
    told = str(Settings.model_fields["backbone"].description)
    assert all(family.named in told for family in FAMILIES.values())
    words = set(told.replace(",", "").split())
    assert {word for word in words if word.startswith("dino")} <= DINO_MODELS.keys()
    assert {*LITE_MODELS, TEXTURE_NAME, "open_clip", f"{TIMM_PREFIX}MODEL"} <= words


def test_each_option_is_a_field_in_one_module() -> None:
    homes: dict[str, set[str]] = {}
    for model in {*Settings.__mro__, *Decisions.__mro__}:
        for name in vars(model).get("__annotations__", {}) if issubclass(model, Options) else ():
            homes.setdefault(name, set()).add(model.__module__)
    assert {*Settings.model_fields, *Decisions.model_fields} <= homes.keys()
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}
    assert "musc.settings.method" not in set.union(*homes.values()), "it only joins them"
