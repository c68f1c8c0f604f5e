"""The benchmarks on photographs run at toy size, on drawn parts, one after the other as the docs name them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from storage.datasets.synthetic.lot import write_lot
from tests.forking import ForkServer

ROOT = Path(__file__).resolve().parents[2]


def run(forks: ForkServer, name: str, *words: object) -> list[str]:
    """The rows that a benchmark prints, without the two of the heading."""
    command = [f"benchmarks/{name}.py", *map(str, words)]
    return forks.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}).splitlines()[2:]


def figures_of(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text()))


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labelled")
    write_lot(folder / "cast", good_count=8, defective_count=4, size=64)
    return folder


def test_every_choice_of_photographs_is_a_row(forks: ForkServer, labelled: Path, tmp_path: Path) -> None:
    choices = ["--image-sizes", 64, "--layers", "3,5", "5", "--degrees", "1", "1,3"]
    shown = run(forks, "photographs", labelled, *choices, "--json", tmp_path / "figures.json")
    rows = figures_of(tmp_path / "figures.json")
    assert [(row["layers"], row["degrees"]) for row in rows] == [
        ([3, 5], [1]),
        ([3, 5], [1, 3]),
        ([5], [1]),
        ([5], [1, 3]),
    ]
    assert all(
        0 <= row[name] <= 1 for row in rows for name in ("image_auroc", "pixel_auroc", "pixel_ap", "pixel_aupro")
    )
    assert shown[0].split(" | ")[:4] == ["| cast", "64", "3,5", "1"]


def test_default_row_of_photographs_gives_the_figures_of_the_benchmark(
    forks: ForkServer, labelled: Path, tmp_path: Path
) -> None:
    from storage.store import Store
    from storage.tables import read_table
    from tests.flat import benchmark

    run(forks, "photographs", labelled, "--image-sizes", 64, "--json", tmp_path / "figures.json")
    (row,) = figures_of(tmp_path / "figures.json")
    done = benchmark(
        "folder",
        str(labelled),
        str(tmp_path / "out"),
        backbone=("efficientnet-lite0",),
        image_size=64,
        rscin_windows=(1,),
    )
    table = read_table(Store(str(tmp_path / "out")), done.benchmark).set_index(["category", "metric"])["value"]
    for metric in ("pixel_auroc", "pixel_ap", "pixel_aupro"):
        assert row[metric] == pytest.approx(table["cast", metric], abs=1e-4)
    assert row["image_auroc_raw"] == pytest.approx(table["cast", "image_auroc"], abs=1e-6)


def test_small_flaws_lie_where_their_masks_say(forks: ForkServer, labelled: Path, tmp_path: Path) -> None:
    run(forks, "flaws/small_flaws", tmp_path / "flaws", labelled, "--draws", 1)
    assert sorted(path.name for path in (tmp_path / "flaws").iterdir()) == ["cast-0.02-0", "cast-0.035-0"]
    good = [np.asarray(Image.open(path), dtype=int) for path in sorted((labelled / "cast/test/good").iterdir())]
    masks = sorted((tmp_path / "flaws" / "cast-0.035-0").rglob("*_mask.png"))
    assert len(masks) == 8, "every good photograph, as there are fewer than ten"
    for path in masks:
        mask = np.asarray(Image.open(path)) > 0
        name = f"{path.stem.removesuffix('_mask')}.png"
        flawed = np.asarray(Image.open(path.parents[2] / "test" / path.parent.name / name), dtype=int)
        changed = min((abs(flawed - one).max(axis=2) for one in good), key=lambda change: change.sum())
        assert changed[mask].mean() > 10 * changed[~mask].mean()


def test_smallest_flaw_is_measured_as_it_would_be_seen(forks: ForkServer, labelled: Path, tmp_path: Path) -> None:
    words = [labelled, "--seen", "64", "64/32", "chosen", "--flaws", 8, 20, "--images", 4]
    run(forks, "flaws/smallest_flaw", *words, "--json", tmp_path / "figures.json")
    rows = figures_of(tmp_path / "figures.json")
    assert {(row["flaw"], row["seen"]) for row in rows} == {
        *((flaw, seen) for flaw in (8, 20) for seen in ("64", "tiles of 32 at 64", "320"))
    }
    assert [row["patches"] for row in rows if row["seen"] == "320"] == [5, 12.5]
    assert all(0 <= row["low"] <= row["auroc"] <= row["high"] <= 1 for row in rows)


def test_references_of_tiles_are_compared_with_their_cost(forks: ForkServer, labelled: Path, tmp_path: Path) -> None:
    words = [labelled, "--tile", 32, "--layers", "5", "--good", 3, "--defective", 2]
    run(forks, "tile_references", *words, "--json", tmp_path / "figures.json")
    rows = figures_of(tmp_path / "figures.json")
    costs = {row["references"]: row["cost"] for row in rows}
    assert (costs["position"], costs["all"]) == (1, 9)
    assert costs["around"] == pytest.approx((4 * 4 + 4 * 6 + 9) / 9)
