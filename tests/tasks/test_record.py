"""What the record of a run says beside its settings."""

from tasks.record import cautions


def test_results_of_the_built_in_backbone_carry_a_caution() -> None:
    (caution,) = cautions("texture")
    assert "hardly better than chance" in caution


def test_results_of_published_weights_carry_none() -> None:
    assert cautions("ViT-L-14-336") == []
