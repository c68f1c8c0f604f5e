"""What the record of a run says beside its settings."""

import pytest

from tasks.results.record import cautions, notes


def test_results_of_the_built_in_backbone_carry_a_caution() -> None:
    (caution,) = cautions("texture")
    assert "hardly better than chance" in caution


def test_results_of_published_weights_carry_none() -> None:
    assert cautions("ViT-L-14-336") == []


@pytest.mark.parametrize(
    ("backbone", "device_type", "told"),
    [("efficientnet-lite0", "cuda", True), ("efficientnet-lite0", "cpu", False), ("ViT-L-14-336", "cuda", False)],
)
def test_the_papers_backbone_is_named_where_a_gpu_is_present(backbone: str, device_type: str, told: bool) -> None:
    assert [("--backbone ViT-L-14-336" in note) for note in notes(backbone, device_type)] == [True] * told
