"""What the record of a run says beside its settings."""

import pytest

from tasks.record import cautions


@pytest.mark.parametrize(
    ("backbone", "words"), [("texture", "hardly better than chance"), ("synthetic-conv", "may flag")]
)
def test_results_of_built_in_backbones_carry_a_caution(backbone: str, words: str) -> None:
    (caution,) = cautions(backbone)
    assert words in caution


def test_results_of_published_weights_carry_none() -> None:
    assert cautions("ViT-L-14-336") == []
