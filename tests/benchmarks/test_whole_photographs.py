"""Changes drawn on whole photographs: where, what, and how the report's words are counted."""

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report.whole_photographs import DRAWN, SHARE, Outcome, draw_lot, row_of


def test_each_kind_is_drawn_in_one_square_of_one_photograph(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"good-{number}.png" for number in range(len(DRAWN) + 2)]
    for path in paths:
        Image.fromarray(rng.integers(90, 160, (240, 320, 3), dtype=np.uint8)).save(path)
    originals = {path.read_bytes() for path in paths}
    drawn = draw_lot(tmp_path / "lot", paths, seed=3)
    assert [change.kind for change in drawn.values()] == list(DRAWN)
    for name, (_, (left, top, right, bottom)) in drawn.items():
        assert (right - left, bottom - top) == (240 // SHARE,) * 2
        found = np.asarray(Image.open(tmp_path / "lot" / name)).astype(int)
        changed = [(np.asarray(Image.open(path)).astype(int) != found).any(axis=2) for path in paths]
        fewest = min(changed, key=np.count_nonzero)
        rows, columns = np.nonzero(fewest)
        assert len(rows)
        assert top <= rows.min() <= rows.max() < bottom
        assert left <= columns.min() <= columns.max() < right
    assert len(list((tmp_path / "lot").iterdir())) == len(paths)
    assert {path.read_bytes() for path in paths} == originals
    assert draw_lot(tmp_path / "again", paths, seed=3) == drawn


def test_row_counts_places_and_names() -> None:
    found = [
        Outcome("darker", listed=True, inside=True, named=("darker",)),
        Outcome("darker", listed=True, inside=False, named=()),
        Outcome("darker", listed=False, inside=True, named=("smoother", "darker")),
    ]
    assert row_of("darker", found) == "| darker | 2 of 3 | 1 of 2 | 1 | 2 | 2 of 2 | nothing 1, smoother 1 |"
