"""The benchmark of datasets whose root and categories are links to folders elsewhere."""

from pathlib import Path

import pytest

from reports.run_record import read_record
from storage.datasets import list_categories
from tests.flows.measuring import measure, runs


@pytest.mark.parametrize("dataset", ["mvtec_ad", "visa", "btad", "mvtec_loco", "folder"])
def test_benchmark_of_linked_categories_scores_every_image(
    dataset: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    real: Path = request.getfixturevalue(f"{dataset}_root")
    (tmp_path / "disk").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "disk")
    for entry in real.iterdir():
        (tmp_path / "disk" / entry.name).symlink_to(entry)
    table = measure(dataset, tmp_path / "root", tmp_path / "out")
    counts = {category.name: len(category.images) for category in list_categories(dataset, real)}
    assert set(table["category"]) == {*counts, "mean"}
    assert {name: read_record(run).images for name, run in runs(tmp_path / "out").items()} == {
        name: {"ok": count} for name, count in counts.items()
    }
