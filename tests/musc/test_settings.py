"""The method's settings: defaults are the paper's, and each bad value is refused by name."""

import json
from dataclasses import FrozenInstanceError, fields
from inspect import signature
from typing import Any

import pytest

import musc.backbones
from musc.backbones import PAPER_DEFAULTS
from musc.backbones.catalogue import PAPER_NAME
from musc.lot import score_images
from musc.mutual import mutual_scores
from musc.rscin import rescore
from musc.settings import Settings


def chosen(method: Settings) -> tuple[Any, ...]:
    return method.chosen_degrees, method.interval, method.chosen_rscin_windows


def test_settings_of_the_papers_backbone_are_the_papers() -> None:
    assert chosen(Settings(PAPER_NAME)) == ((1, 3, 5), (0.0, 0.3), (1, 2, 3))


def test_settings_default_to_the_installed_backbone_and_its_own_choices() -> None:
    assert Settings().backbone == "efficientnet-lite0"
    assert chosen(Settings()) == ((1, 3), (0.0, 0.3), (1,))


def test_settings_given_go_before_those_of_the_backbone() -> None:
    assert chosen(Settings(degrees=(7,), rscin_windows=(1, 8))) == ((7,), (0.0, 0.3), (1, 8))


def test_settings_defaults_agree_with_the_functions() -> None:
    assert signature(mutual_scores).parameters["interval"].default == Settings.interval
    assert signature(rescore).parameters["rscin_windows"].default == PAPER_DEFAULTS.rscin_windows
    assert signature(score_images).parameters["backbone"].default == Settings.backbone


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("degrees", (), "degrees must name at least one neighbourhood side, got none"),
        ("degrees", (1, 2), "degree must be a positive odd number of patches, got 2"),
        ("degrees", (-1,), "degree must be a positive odd number of patches, got -1"),
        ("degrees", (3, 1, 3), r"degrees must differ from each other, got \(3, 1, 3\)"),
        ("degrees", 3, r"degrees must be neighbourhood sides, got 3; write \(3,\) for one"),
        ("interval", 0.3, r"interval must be two fractions .* got 0.3; the paper uses \(0.0, 0.3\)"),
        ("interval", (0.3, 0.0), r"interval must be two fractions .* got \(0.3, 0.0\)"),
        ("interval", (0.0, 30), r"interval must be two fractions .* got \(0.0, 30\)"),
        ("interval", (0.0, 0.1, 0.3), "interval must be two fractions"),
        ("rscin_windows", 3, r"rscin_windows must be positive counts of images, got 3; the paper uses \(1, 2, 3\)"),
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
    with pytest.raises(FrozenInstanceError):
        method.degrees = (1,)  # type: ignore[misc]


def test_backbone_arguments_are_those_of_load() -> None:
    accepted = signature(musc.backbones.load).parameters
    assert set(Settings().backbone_arguments()) == set(accepted) - {"name", "device"}


def test_backbone_arguments_carry_the_values() -> None:
    method = Settings(weights="openai", image_size=(112, 98), layers=(1, 2), quick_gelu=True, position_antialias=True)
    assert method.backbone_arguments() == {
        "weights": "openai",
        "image_size": (112, 98),
        "layers": (1, 2),
        "quick_gelu": True,
        "position_antialias": True,
        "precision": "auto",
    }


def test_record_holds_every_setting_as_plain_values() -> None:
    record = Settings(degrees=(3,)).as_record()
    assert set(record) == {field.name for field in fields(Settings)}
    assert json.loads(json.dumps(record))["degrees"] == [3]
