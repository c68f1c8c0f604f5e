"""A benchmark becomes jobs, every category and backbone, or an error before any work."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from planning.benchmark import DATASET_RSCIN_WINDOWS
from storage.datasets.synthetic.lot import write_lot
from tests.flat import benchmark_jobs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labelled")
    for part in ("caps", "lids"):
        write_lot(folder / part, good_count=2, defective_count=2, size=64)
    return folder


def test_jobs_are_of_every_category_and_backbone(root: Path) -> None:
    jobs = benchmark_jobs("folder", str(root), "memory://out", backbone=("texture", "ViT-B-16"), subsets=2)
    assert [(job.backbone.name, job.lot, job.category) for job, _ in jobs] == [
        (backbone, part, part) for backbone in ("texture", "ViT-B-16") for part in ("caps", "lids")
    ]
    assert {(job.folder, job.store, job.subsets) for job, _ in jobs} == {(str(root), "memory://out", 2)}


@pytest.mark.parametrize(("given", "windows"), [(None, (1, 8, 9)), ((1, 2), (1, 2))])
def test_windows_are_those_of_the_paper_for_the_dataset_unless_given(
    root: Path, given: tuple[int, ...] | None, windows: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DATASET_RSCIN_WINDOWS, "folder", (1, 8, 9))
    ((job, category),) = benchmark_jobs(
        "folder", str(root), categories=("caps",), backbone=("texture",), rscin_windows=given
    )
    assert category.name == "caps"
    assert job.settings.rscin_windows == windows


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"references_from": ("runs/x",)}, "references_from is none of the BenchmarkRequest"),
        ({"backbone": ("texture", "texture")}, "backbone must name each value once, got texture 2 times"),
        ({"backbone": ("texture", "ViT-B-16"), "weights": "net.pt"}, "weights must go with one backbone, got 2"),
        ({"subsets": 3}, "subsets must be a positive count that leaves at least 2 images in each, got 3"),
    ],
)
def test_jobs_are_refused_by_name(root: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        benchmark_jobs("folder", str(root), **{"backbone": ("texture",), **changes})


def test_kept_proportions_are_those_of_each_category(tmp_path: Path) -> None:
    for category, size in (("flat", (90, 30)), ("tall", (30, 90))):
        for kind in ("good", "bad"):
            place = tmp_path / category / "test" / kind
            place.mkdir(parents=True)
            Image.new("RGB", size).save(place / "0.png")
    options = {"backbone": "efficientnet-lite0", "keep_aspect": True}
    jobs = benchmark_jobs("folder", tmp_path, tmp_path / "out", **options)
    assert {job.category: job.backbone.image_size for job, _ in jobs} == {"flat": (192, 544), "tall": (544, 192)}
