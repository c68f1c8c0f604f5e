"""`musc demo`: it scores the lot it draws, compares, and leaves the picture that the README shows."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from cli.main import app
from reports.page.contact_sheet import CAPTION, GAP, TILE
from storage.datasets.synthetic.lot import draw_part, write_lot

IN_README = Path(__file__).resolve().parents[3] / "docs" / "strip.jpg"
OF_COMPRESSION = 8
"""Mean difference of grey values that a JPEG may make."""


def first_photograph(picture: Image.Image) -> np.ndarray:
    """The photograph in the upper left corner, int (TILE, TILE, 3)."""
    top = GAP + CAPTION
    return np.asarray(picture.crop((GAP, top, GAP + TILE, top + TILE)), dtype=int)


def reduced(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((TILE, TILE), Image.Resampling.LANCZOS), dtype=int)


@pytest.mark.slow
def test_demo_draws_the_most_anomalous_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import cli.commands.demo

    monkeypatch.setattr(cli.commands.demo, "write_lot", partial(write_lot, size=128))
    monkeypatch.setattr(cli.commands.demo, "GOOD", 14)
    monkeypatch.setattr(cli.commands.demo, "DEFECTIVE", 5)
    shown = CliRunner().invoke(app, ["demo", "--output", str(tmp_path / "drawn"), "--seed", "3"])
    (tmp_path / "drawn").rename(tmp_path / "moved")
    again = CliRunner().invoke(app, ["demo", "--output", str(tmp_path / "moved"), "--seed", "3"])
    assert again.exit_code == shown.exit_code == 0, shown.output + again.output
    assert "Drew 19 images" in shown.output
    assert "image_auroc" in shown.output
    worst = next(line.split()[3] for line in shown.output.splitlines() if line.startswith("│    1 │"))
    drawn = tmp_path / "moved"
    with Image.open(drawn / "lot-3.jpg") as picture, Image.open(IN_README) as in_readme:
        photograph = np.asarray(Image.open(drawn / "lot-3" / "cast" / "test" / worst))
        assert abs(first_photograph(picture) - reduced(photograph)).mean() < OF_COMPRESSION
        assert picture.size == in_readme.size


def test_readme_shows_a_part_of_the_demo() -> None:
    drawn, _ = draw_part("cast", "fibre", seed=0, number=0)
    another, _ = draw_part("cast", "fibre", seed=0, number=1)
    with Image.open(IN_README) as picture:
        shown = first_photograph(picture)
    assert abs(shown - reduced(drawn)).mean() < OF_COMPRESSION < abs(shown - reduced(another)).mean()
    assert IN_README.stat().st_size < 150_000


@pytest.mark.slow
def test_demo_of_varied_defects_shows_no_group(tmp_path: Path) -> None:
    """The lot as every newcomer sees it: defects of five kinds, none of which is repeated."""
    shown = CliRunner().invoke(app, ["demo", "--output", str(tmp_path)])
    assert shown.exit_code == 0, shown.output
    (scores,) = tmp_path.glob("results/runs/*/scores.parquet")
    table = pd.read_parquet(scores)
    assert len(table) == 64
    assert set(table["group"]) == {0}
    assert set(table["decision"]) == {"flagged", "suspect", "accepted"}
