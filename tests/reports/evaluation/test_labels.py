"""Matching a run's images with labels by their places, and the figures at network size."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reports.evaluation.labels import Labelled, labelled, network_size_metrics
from storage.artefacts import writing
from storage.datasets import Category, LabelledImage, Mask
from storage.errors import DatasetLayoutError
from storage.results.patch_scores import write_scores
from storage.results.runs import IMAGES, PATCH_SCORES, SCORES, Run, write_record
from storage.store import Store
from storage.tables import write_table
from tasks.evaluate import metric_rows
from tests.flat import job_of, record_of

GRID = (2, 3)
IMAGES_OF_CATEGORY = (
    LabelledImage("cap/test/bad/0.png", "bad", 1, (Mask("cap/ground_truth/bad/0.png"),)),
    LabelledImage("cap/test/bad/1.png", "bad", 1, (Mask("cap/ground_truth/bad/1.png"),)),
    LabelledImage("cap/test/good/0.png", "good", 0),
)
CATEGORY = Category("folder", "cap", IMAGES_OF_CATEGORY)


def write_run(store: Path, folder: Path, paths: Sequence[str], statuses: Sequence[str] | None = None) -> Run:
    """A run whose n-th scored image has the score n / 10 and patch scores n."""
    statuses = statuses or ["ok"] * len(paths)
    scored = [path for path, status in zip(paths, statuses, strict=True) if status == "ok"]
    place = Store(str(store))
    with writing(place, "runs/cap") as staging:
        write_table(place, f"{staging.path}/{IMAGES}", pd.DataFrame({"path": paths, "status": statuses}))
        table = pd.DataFrame({"path": scored, "score": np.arange(len(scored)) / 10})
        write_table(place, f"{staging.path}/{SCORES}", table.iloc[::-1])
        patches = np.ones((len(scored), *GRID), dtype=np.float32) * np.arange(len(scored))[:, None, None]
        write_scores(place, f"{staging.path}/{PATCH_SCORES}", patches.astype(np.float32), {})
        net = replace(job_of().backbone, image_size=(16, 24))
        record = record_of(job_of(folder=str(folder), backbone=net))
        write_record(place, staging.path, record.model_dump(mode="json"))
    return Run(place, "runs/cap")


def test_labelled_matches_by_place_whatever_the_order(tmp_path: Path) -> None:
    run = write_run(tmp_path / "out", tmp_path, ["cap/test/good/0.png", "cap/test/bad/1.png", "cap/test/bad/0.png"])
    found = labelled(run, CATEGORY, tmp_path)
    assert found.images == IMAGES_OF_CATEGORY
    np.testing.assert_array_equal(found.labels, [1, 1, 0])
    np.testing.assert_allclose(found.scores, [0.2, 0.1, 0.0])
    np.testing.assert_array_equal(found.patch_scores[:, 0, 0], [2, 1, 0])
    assert found.image_size == (16, 24)


def test_labelled_passes_over_files_that_were_not_scored(tmp_path: Path) -> None:
    paths = ["cap/test/bad/0.png", "cap/notes.txt", "cap/test/bad/1.png", "cap/test/good/0.png"]
    found = labelled(
        write_run(tmp_path / "out", tmp_path, paths, ["ok", "not_an_image", "ok", "ok"]), CATEGORY, tmp_path
    )
    np.testing.assert_array_equal(found.patch_scores[:, 0, 0], [0, 1, 2])


def test_labelled_matches_a_run_of_a_folder_below_the_root(tmp_path: Path) -> None:
    run = write_run(tmp_path / "out", tmp_path / "cap" / "test", ["bad/0.png", "bad/1.png", "good/0.png"])
    np.testing.assert_allclose(labelled(run, CATEGORY, tmp_path).scores, [0.0, 0.1, 0.2])


def test_labelled_matches_a_relative_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path / "out", tmp_path, [image.path for image in IMAGES_OF_CATEGORY])
    monkeypatch.chdir(tmp_path)
    np.testing.assert_allclose(labelled(run, CATEGORY, ".").scores, [0.0, 0.1, 0.2])


def test_labelled_takes_the_folder_where_the_files_lie_now(tmp_path: Path) -> None:
    run = write_run(tmp_path / "out", tmp_path / "before", [image.path for image in IMAGES_OF_CATEGORY])
    found = labelled(run, CATEGORY, tmp_path / "now", tmp_path / "now")
    np.testing.assert_allclose(found.scores, [0.0, 0.1, 0.2])


def test_labelled_does_not_match_a_file_of_the_same_name_elsewhere(tmp_path: Path) -> None:
    run = write_run(tmp_path / "out", tmp_path / "other", [image.path for image in IMAGES_OF_CATEGORY])
    with pytest.raises(ValueError, match="all 3 images of cap, but 3 were not scored"):
        labelled(run, CATEGORY, tmp_path)


def test_labelled_refuses_a_run_that_lacks_images_and_names_them(tmp_path: Path) -> None:
    paths = ["cap/test/bad/0.png", "cap/test/bad/1.png", "cap/test/good/0.png"]
    run = write_run(tmp_path / "out", tmp_path, paths, ["ok", "unreadable", "ok"])
    with pytest.raises(
        ValueError, match=r"but 1 were not scored: cap/test/bad/1\.png; images\.parquet in runs/cap says"
    ):
        labelled(run, CATEGORY, tmp_path)


@pytest.fixture
def found() -> Labelled:
    """Maps of 4 × 4 pixels, so that patch scores are pixel scores."""
    patches = np.zeros((3, 4, 4), dtype=np.float32)
    patches[0, :2, :2] = [[9, 8], [7, 3]]
    patches[1, 3, 3] = 5
    patches[2, 0, 0] = 4
    return Labelled(IMAGES_OF_CATEGORY, np.array([0.9, 0.2, 0.3]), patches, (4, 4))


def write_masks(root: Path) -> None:
    for number, area in ((0, (slice(0, 2), slice(0, 2))), (1, (3, 3))):
        mask = np.zeros((4, 4), dtype=np.uint8)
        mask[area] = 255
        path = root / "cap" / "ground_truth" / "bad" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
        image = root / "cap" / "test" / "bad" / f"{number}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), 200).save(image)


def test_network_size_metrics_by_hand(found: Labelled, tmp_path: Path) -> None:
    write_masks(tmp_path)
    metrics = network_size_metrics(found, "folder", tmp_path)
    # Images: 0.9 above the good one, 0.2 below. Pixels: of 43 clean ones a single one (4) beats a single bad one (3).
    assert metrics["image_auroc"] == pytest.approx(1 / 2)
    assert metrics["image_f1_max"] == pytest.approx(4 / 5)
    assert metrics["image_ap"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert metrics["pixel_auroc"] == pytest.approx(1 - 1 / (5 * 43))
    assert metrics["pixel_f1_max"] == pytest.approx(10 / 11)
    assert metrics["pixel_ap"] == pytest.approx(4 / 5 + 1 / 5 * 5 / 6)


def test_every_mask_that_does_not_fit_is_named_at_once(found: Labelled, tmp_path: Path) -> None:
    write_masks(tmp_path)
    masks = tmp_path / "cap" / "ground_truth" / "bad"
    Image.new("L", (4, 4)).save(masks / "0.png")
    Image.new("L", (4, 3), 255).save(masks / "1.png")
    with pytest.raises(
        DatasetLayoutError, match=r"but 2 do not:\n.*bad/0\.png must mark .*\n.*bad/1\.png must have the"
    ):
        network_size_metrics(found, "folder", tmp_path)


def test_network_size_metrics_name_what_is_published(found: Labelled, tmp_path: Path) -> None:
    write_masks(tmp_path)
    metrics = network_size_metrics(found, "folder", tmp_path)
    assert list(metrics) == [
        *("image_auroc", "image_f1_max", "image_ap"),
        *("pixel_auroc", "pixel_f1_max", "pixel_ap", "pixel_aupro", "pixel_aupro_reference"),
    ]


def test_only_keeps_images_scores_and_maps_together(found: Labelled) -> None:
    part = found.only([True, False, True])
    assert part.images == (IMAGES_OF_CATEGORY[0], IMAGES_OF_CATEGORY[2])
    np.testing.assert_array_equal(part.scores, [0.9, 0.3])
    np.testing.assert_array_equal(part.patch_scores, found.patch_scores[[0, 2]])


def test_pixel_metrics_leave_out_defective_images_without_mask(found: Labelled, tmp_path: Path) -> None:
    write_masks(tmp_path)
    unmasked = replace(found, images=(found.images[0], replace(found.images[1], masks=()), found.images[2]))
    metrics = network_size_metrics(unmasked, "folder", tmp_path)
    without = network_size_metrics(found.only([True, False, True]), "folder", tmp_path)
    assert metrics["image_auroc"] == network_size_metrics(found, "folder", tmp_path)["image_auroc"]
    assert {name: value for name, value in metrics.items() if name.startswith("pixel_")} == {
        name: value for name, value in without.items() if name.startswith("pixel_")
    }


def test_pixel_metrics_are_not_defined_without_any_mask(found: Labelled, tmp_path: Path) -> None:
    unmasked = replace(found, images=tuple(replace(image, masks=()) for image in found.images))
    metrics = network_size_metrics(unmasked, "folder", tmp_path)
    assert metrics["image_auroc"] == pytest.approx(1 / 2)
    assert all(np.isnan(value) for name, value in metrics.items() if name.startswith("pixel_"))


def test_metric_rows_count_the_images_of_each_metric() -> None:
    images = [LabelledImage("a.png", "good", 0), LabelledImage("b.png", "cut", 1), LabelledImage("c.png", "good", 0)]
    rows = metric_rows({"image_auroc": 0.9, "pixel_ap": 0.2}, images)
    assert rows.to_numpy().tolist() == [["image_auroc", 0.9, 3, 0, 2, 1], ["pixel_ap", 0.2, 2, 1, 2, 1]]
