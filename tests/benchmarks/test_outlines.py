"""The benchmark of outlines compares boxes with masks and makes its table, at toy size."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import outlines
from benchmarks.outlines import Fit, fit
from storage.datasets.synthetic.lot import write_lot


def test_fit_counts_pixels_of_boxes_and_outlines() -> None:
    outlined = np.zeros((6, 6), dtype=bool)
    outlined[[1, 2], [1, 2]] = True
    mask = np.zeros((6, 6), dtype=bool)
    mask[1:3, 1:5] = True
    assert fit(np.ones((6, 6), dtype=np.float32), outlined, mask) == Fit(4 / 8, 2 / 8, 4 / 8, 1)


def test_table_holds_both_kinds_of_lots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lot(tmp_path / "cast", good_count=14, defective_count=4, size=64)
    outlines.main([str(tmp_path), "--backbone", "texture", "--image-size", "64", "--draws", "1"])
    shown = capsys.readouterr().out
    assert "| a tenth | cast |" in shown
    assert "| as published | cast |" in shown
