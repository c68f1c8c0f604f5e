"""The benchmark of decisions draws lots from photographs and makes its tables, at toy size."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.decisions import draws, tables
from benchmarks.decisions.draws import Lot
from benchmarks.decisions.pairs import compare
from benchmarks.decisions.rules import RULES, medcouple
from musc import backbones, score_images
from storage.datasets import list_categories
from storage.datasets.synthetic.lot import write_lot
from storage.images.decode import decode

GOOD, DEFECTIVE = 16, 5


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labelled")
    write_lot(folder / "cast", good_count=GOOD, defective_count=DEFECTIVE, size=64)
    return folder


def test_drawn_lot_has_the_scores_that_it_has_by_itself(labelled: Path) -> None:
    backbone = backbones.load("texture", image_size=64, device="cpu")
    (category,) = list_categories("folder", labelled)
    product = compare(labelled, category, backbone, (1, 3))
    chosen = [0, 3, 4, 8, 15, 20]
    images = [decode((labelled / category.images[place].path).read_bytes()) for place in chosen]
    alone = score_images(images, backbone, degrees=(1, 3)).raw_image_scores
    np.testing.assert_allclose(product.scores(chosen), alone, atol=2e-3)


def test_lots_are_kept_as_they_were_drawn(tmp_path: Path) -> None:
    lots = [("N=10, 5%", Lot(np.arange(float(count)), np.arange(count) % 2 == 0)) for count in (3, 4)]
    draws.save(tmp_path / "one.npz", iter(lots))
    kept = draws.load(tmp_path / "one.npz")["N=10, 5%"]
    for (_, lot), found in zip(lots, kept, strict=True):
        np.testing.assert_array_equal(found.scores, lot.scores)
        np.testing.assert_array_equal(found.defective, lot.defective)


def test_tables_hold_every_rule_product_and_basis(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draws.main([str(tmp_path), str(labelled), "--backbone", "texture", "--image-size", "64", "--draws", "2"])
    tables.main([str(tmp_path), "--draws", "2"])
    shown = capsys.readouterr().out
    for rule in RULES:
        assert f"| {rule.name} |" in shown
    for start in ("| factory | cast | 16 + 2 |", "| 10 |", "| cast | 10 | 9.1 % |", "| two variants, 6 apart |"):
        assert start in shown


def test_listed_counts_found_parts_and_the_best_at_the_same_share() -> None:
    lot = Lot(np.array([1.0, 2.0, 3.0, 4.0, 2.5, 5.0]), np.array([False] * 4 + [True] * 2))
    found = tables.listed([lot], [3.5])
    assert (found.found, found.good, found.lots) == (0.5, 0.25, 1.0)
    assert found.oracle == 0.5, "above the score of the highest good part"


def test_medcouple_in_plain_loops() -> None:
    scores = np.random.default_rng(1).gamma(2, size=31)
    median = float(np.median(scores))
    kernel = [
        ((high - median) - (median - low)) / (high - low) if high > low else 0.0
        for high in scores[scores >= median]
        for low in scores[scores <= median]
    ]
    assert medcouple(scores) == pytest.approx(float(np.median(kernel)))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_stronger_rules_list_fewer(rule: tables.Rule) -> None:
    scores = 1 + 0.1 * np.random.default_rng(2).gamma(4, size=60)
    counts = [(scores >= rule.threshold(scores, strength)).sum() for strength in rule.strengths]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]
