"""A category scored in several subsets: who is in which, and that each is a lot of its own."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from storage.datasets import list_categories
from storage.results.runs import Run
from storage.store import Store
from tests.flows.measuring import measure, runs


def scores_by_content(output: Path, category: str = "caps") -> pd.DataFrame:
    return runs(output)[category].scores().set_index("sha256")[["raw_score", "score"]].sort_index()


def dealt(root: Path, output: Path, **changes: Any) -> Run:
    measure("folder", root, output, categories=("caps",), subsets=2, **changes)
    return runs(output)["caps"]


@pytest.fixture(scope="module")
def dealt_output(folder_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the category `caps` scored in two subsets."""
    output = tmp_path_factory.mktemp("dealt")
    dealt(folder_root, output)
    return output


def test_subsets_score_every_image_once(dealt_output: Path, folder_root: Path) -> None:
    listed = [image.path for image in list_categories("folder", folder_root, ["caps"])[0].images]
    assert sorted(runs(dealt_output)["caps"].scores()["path"]) == sorted(listed)


def score_apart(folder: Path, images: Sequence[Path], output: Path) -> np.ndarray:
    """Patch scores of images as a lot of their own."""
    from tests.flat import score_lot

    folder.mkdir()
    for position, image in enumerate(images):
        shutil.copy(image, folder / f"{position:03d}{image.suffix}")
    done = score_lot(str(folder), str(output), backbone="texture", image_size=64, layers=(0,), degrees=(1,))
    return Run(Store(str(output)), done.run).patch_scores()


def test_subsets_are_lots_of_their_own(dealt_output: Path, folder_root: Path, tmp_path: Path) -> None:
    run = runs(dealt_output)["caps"]
    images = [folder_root / path for path in run.images()["path"]]
    halves = [
        score_apart(tmp_path / name, part, tmp_path / "out")
        for name, part in zip("ab", (images[:6], images[6:]), strict=True)
    ]
    np.testing.assert_array_equal(run.patch_scores(), np.concatenate(halves))


def test_subsets_depend_on_content_not_on_names_or_labels(
    dealt_output: Path, folder_root: Path, tmp_path: Path
) -> None:
    root = tmp_path / "renamed"
    images = sorted((folder_root / "caps" / "test").rglob("*.png"))
    for number, image in enumerate(reversed(images)):
        kind = "good" if number % 2 else "anything"
        target = root / "caps" / "test" / kind / f"part {number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, target)
        if kind != "good":
            mask = root / "caps" / "ground_truth" / kind / f"part {number}.png"
            mask.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder_root / "caps" / "ground_truth" / "broken" / "000_mask.png", mask)
    dealt(root, tmp_path / "out")
    pd.testing.assert_frame_equal(scores_by_content(tmp_path / "out"), scores_by_content(dealt_output))


def test_subsets_differ_with_the_seed(dealt_output: Path, folder_root: Path, tmp_path: Path) -> None:
    dealt(folder_root, tmp_path / "one", seed=1)
    spec = runs(tmp_path / "one")["caps"].images()["sha256"].tolist()
    usual = runs(dealt_output)["caps"].images()["sha256"].tolist()
    assert sorted(spec) == sorted(usual)
    assert set(spec[:6]) != set(usual[:6])
    assert not scores_by_content(tmp_path / "one").equals(scores_by_content(dealt_output))


def test_subsets_with_the_same_seed_are_the_same(dealt_output: Path, folder_root: Path, tmp_path: Path) -> None:
    dealt(folder_root, tmp_path)
    pd.testing.assert_frame_equal(scores_by_content(tmp_path), scores_by_content(dealt_output))
    tables = [next(output.glob("benchmarks/*/metrics.parquet")) for output in (tmp_path, dealt_output)]
    assert tables[0].read_bytes() == tables[1].read_bytes()
