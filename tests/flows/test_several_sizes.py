"""Lots scored at several image sizes in one run: plain loops over runs of one size each, and what they share."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from flows.pipelines.lot import score_folder
from flows.pipelines.reproduction import reproduce
from musc.backbones import Backbone, BackboneSpec, Features
from musc.lot import score_images
from reports.run_record import RunRecord, read_record
from storage.prune import find_prunable
from storage.results.patch_scores import read_scores
from storage.results.runs import Run
from storage.store import Store
from tasks import extract
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request
from tests.flows.watched import draw

UNEVEN: dict[str, Any] = {"backbone": "efficientnet-lite0", "degrees": (1, 3)}
SIZES = (64, 96)


@pytest.fixture(scope="module")
def lot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("parts")) / "good"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def score(folder: Path, store: Path, **given: Any) -> tuple[Run, RunRecord]:
    done = score_folder(lot_request(folder, store, **{**UNEVEN, **given}), InlineRunner())
    run = Run(Store(str(store)), done.run)
    return run, read_record(run)


def plain_resized(cells: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """One image's cells on a finer grid, corners on corners, in float64 loops."""
    found = np.empty((rows, columns))
    for row in range(rows):
        for column in range(columns):
            y, x = row * (cells.shape[0] - 1) / (rows - 1), column * (cells.shape[1] - 1) / (columns - 1)
            top, left = min(int(y), cells.shape[0] - 1), min(int(x), cells.shape[1] - 1)
            below, right = min(top + 1, cells.shape[0] - 1), min(left + 1, cells.shape[1] - 1)
            upper = cells[top, left] * (1 - x + left) + cells[top, right] * (x - left)
            lower = cells[below, left] * (1 - x + left) + cells[below, right] * (x - left)
            found[row, column] = upper * (1 - y + top) + lower * (y - top)
    return found


@pytest.mark.parametrize("given", [{}, {"layers": (4, 5, 6, 7), "match_radius": 2}], ids=["usual layers", "window"])
def test_patch_scores_are_the_mean_of_all_levels_at_all_sizes_on_the_finest_grid(
    lot: Path, store: Path, given: dict[str, Any]
) -> None:
    run, record = score(lot, store, image_size="64,96", **given)
    alone = [score(lot, store, image_size=size, **given)[1] for size in SIZES]
    shards = [read_scores(run.store, path).astype(float) for one in alone for path in one.keys.patch_scores]
    rows, columns = record.job.backbone.grid
    assert (rows, columns) == max(shard.shape[1:] for shard in shards)
    expected = np.zeros((len(shards[0]), rows, columns))
    for shard in shards:
        for image, cells in enumerate(shard):
            expected[image] += plain_resized(cells, rows, columns) / len(shards)
    np.testing.assert_allclose(run.patch_scores(), expected, atol=2e-6)


def test_features_and_comparisons_are_those_of_runs_of_one_size(lot: Path, store: Path) -> None:
    record = score(lot, store, image_size="96,64")[1]
    small, large = (score(lot, store, image_size=size)[1] for size in SIZES)
    assert record.keys.smaller_features == (small.keys.features,)
    assert record.keys.features == large.keys.features
    assert set(record.keys.patch_scores) == {*small.keys.patch_scores, *large.keys.patch_scores}
    assert len({record.keys.run, small.keys.run, large.keys.run}) == 3
    assert record.features_of(small.job.backbone) == small.keys.features
    assert small.features_of(large.job.backbone) == ()


def test_raw_scores_of_several_sizes_are_compared_with_no_others(lot: Path, store: Path) -> None:
    jobs = [score(lot, store, image_size=size)[1].job for size in (64, 96, "64,96")]
    assert len({str(job.raw_score_identity) for job in jobs}) == 3


def test_method_in_memory_gives_the_same(lot: Path, store: Path) -> None:
    run, _ = score(lot, store, image_size="64,96", image_score="balanced")
    images = [Image.open(lot / image.path) for image in run.scored_images()]
    found = score_images(images, "efficientnet-lite0", image_size="64,96", degrees=(1, 3), image_score="balanced")
    table = run.scores().set_index("path").loc[[image.path for image in run.scored_images()]]
    np.testing.assert_allclose(found.raw_image_scores.numpy(), table["raw_score"], atol=2e-4)  # stored as float16
    assert tuple(found.anomaly_maps.shape[1:]) == (96, 96)


def test_sizes_go_with_good_parts_a_region_groups_and_proportions(lot: Path, tmp_path: Path) -> None:
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[:, :40] = 255
    Image.fromarray(mask).save(tmp_path / "roi.png")
    given = {"good": str(lot), "roi": str(tmp_path / "roi.png"), "exclude_groups": True}
    run, record = score(lot.parent / "new", tmp_path, image_size="64,96", **given)
    scores = run.patch_scores()
    assert np.isnan(scores[:, :, -1]).all()
    assert not np.isnan(scores[:, :, 0]).any()
    assert sum(path.startswith("patch_scores/") for path in record.keys.good) == 2 * 5
    wide = tmp_path / "wide"
    wide.mkdir()
    for picture in sorted(lot.iterdir())[:3]:
        Image.open(picture).resize((96, 40)).save(wide / picture.name)
    _, kept = score(wide, tmp_path, image_size="64,128", keep_aspect=True)
    assert [backbone.image_size for backbone in kept.job.backbones] == [(32, 96), (96, 192)]
    assert len(kept.job.kept_sizes) == 2


def test_tiles_are_seen_at_every_size(lot: Path, tmp_path: Path) -> None:
    run, record = score(lot, tmp_path, tile=48, image_size="32,64")
    alone = [score(lot, tmp_path, tile=48, image_size=size)[0].patch_scores() for size in (32, 64)]
    assert record.job.size_text == "32,64"
    assert run.patch_scores().shape == alone[1].shape
    low, high = np.minimum(*map(np.median, alone)), np.maximum(*map(np.median, alone))
    assert low <= np.median(run.patch_scores()) <= high


def test_accepted_images_are_references_at_every_size_they_were_seen_at(lot: Path, tmp_path: Path) -> None:
    earlier, _ = score(lot, tmp_path, image_size="64,96", lot="earlier")
    for size in ("64,96", 64, 96):
        _, record = score(lot.parent / "new", tmp_path, image_size=size, references_from=(earlier.path,), lot="next")
        assert sum(len(rows.rows) for rows in record.earlier_references) > 0
    with pytest.raises(ValueError, match="must name runs with the features of this lot's backbone"):
        score(lot.parent / "new", tmp_path, image_size="64,128", references_from=(earlier.path,), lot="other")


def test_run_is_reproduced_and_keeps_what_it_was_made_from(lot: Path, tmp_path: Path) -> None:
    run, record = score(lot, tmp_path / "store", image_size="64,96")
    assert reproduce(f"{tmp_path}/store/{run.path}", None, None, InlineRunner()).identical
    kept = {*record.keys.features, *record.keys.smaller_features[0], *record.keys.patch_scores}
    assert not kept & {one.path for one in find_prunable(run.store, older_than_days=0)}
    shutil.rmtree(tmp_path / "store" / run.path)
    assert kept <= {one.path for one in find_prunable(run.store, older_than_days=0)}


def test_description_names_every_size(lot: Path, store: Path) -> None:
    run, _ = score(lot, store, image_size="64,96")
    assert "64 x 64 and 96 x 96" in run.store.read(f"{run.path}/README.txt").decode()


def test_image_usable_at_one_size_only_is_refused_by_name(
    lot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = extract.load_backbone

    def poisoned(spec: BackboneSpec, device: str) -> Backbone:
        real = load(spec, device)

        def forward(pixels: torch.Tensor) -> Features:
            features = real.forward(pixels)
            if spec.image_size == (96, 96):
                features.patch_tokens[0][0, 0, 0] = torch.nan
            return features

        return replace(real, forward=forward)

    monkeypatch.setattr(extract, "load_backbone", poisoned)
    given = {"backbone": "texture", "degrees": (1,), "layers": (0,)}
    score(lot, tmp_path, image_size=96, **given)
    with pytest.raises(
        ValueError, match=r"got them at some of 64 and 96 only of 0\.png, \d+\.png; take these files out"
    ):
        score(lot, tmp_path, image_size="64,96", **given)
