"""Backbones are loaded once, and weights that cannot be had are not asked for again and again."""

import pytest

from musc import backbones
from musc.backbones import Backbone, WeightsUnavailableError
from musc.layers import BackboneSpec
from tasks.runtime import loaded_backbones as models


@pytest.fixture
def spec(monkeypatch: pytest.MonkeyPatch) -> BackboneSpec:
    monkeypatch.setattr(models, "_failures", {})
    models._load.cache_clear()
    return backbones.resolve("texture", image_size=64)


def test_backbone_is_loaded_once(spec: BackboneSpec) -> None:
    assert models.load_backbone(spec, "cpu") is models.load_backbone(spec, "cpu")


def test_unavailable_weights_are_asked_for_again_only_after_a_while(
    spec: BackboneSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refuse(spec: BackboneSpec, device: str) -> Backbone:
        asked.append(device)
        raise WeightsUnavailableError("no network")

    monkeypatch.setattr(backbones, "build", refuse)
    for _ in range(2):
        with pytest.raises(WeightsUnavailableError, match="no network"):
            models.load_backbone(spec, "cpu")
    assert asked == ["cpu"]
    monkeypatch.setattr(models, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(WeightsUnavailableError):
        models.load_backbone(spec, "cpu")
    assert asked == ["cpu", "cpu"]
