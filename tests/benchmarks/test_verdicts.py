"""The benchmark of verdicts: on real photographs a night's verdicts change the next one's scores and threshold."""

from pathlib import Path

import pandas as pd

from benchmarks.verdicts import deal, measure
from storage.datasets.synthetic.lot import write_lot

SMALL = {"backbone": "texture", "image_size": 128, "layers": (0,), "degrees": (1,)}


def ways(table: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(table["references"], table["threshold"], strict=True))


def test_nights_share_no_image_and_hold_equal_shares(tmp_path: Path) -> None:
    write_lot(tmp_path / "cast", good_count=9, defective_count=10, size=64)
    deal(tmp_path / "cast", tmp_path / "lots", seed=0, defective=3)
    first, second = (
        {path.read_bytes() for path in (tmp_path / "lots" / f"night-{night}").iterdir()} for night in (1, 2)
    )
    assert (len(first), len(second), len(first & second)) == (4 + 3, 4 + 3, 0)


def test_table_has_a_row_for_each_way(tmp_path: Path) -> None:
    write_lot(tmp_path / "cast", good_count=24, defective_count=20, size=128)
    table = measure(tmp_path / "cast", **SMALL)
    assert ways(table) == [
        ("this lot", "the rule's"),
        ("this lot", "suggested"),
        ("and judged good", "the rule's"),
        ("and judged good", "suggested"),
    ]
    assert ((table["pulled"] + table["misses"] - table["false alarms"]) == 10).all(), "the defective ones of night 2"


def test_verdicts_change_the_next_night_of_real_photographs(magnetic_tiles: Path) -> None:
    """48 good and 24 defective tiles in two nights, smaller than in docs/review.md's table, which takes a minute."""
    measured = measure(magnetic_tiles / "magnetic_tile", backbone="efficientnet-lite0", image_size=192)
    table = measured.set_index(["references", "threshold"])
    own, suggested = table.loc[("this lot", "the rule's")], table.loc[("this lot", "suggested")]
    vouched = table.loc[("and judged good", "the rule's")]
    assert vouched["image AUROC"] != own["image AUROC"]
    assert (suggested["false alarms"], suggested["misses"]) != (own["false alarms"], own["misses"])
    assert abs(suggested["false alarms"] - suggested["expected false alarms"]) < 6
    assert abs(suggested["misses"] - suggested["expected misses"]) < 6
    print(table.to_string())
