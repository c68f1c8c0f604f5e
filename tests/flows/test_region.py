"""A region of interest: patches outside are neither scored nor matched; those inside score as if they were alone."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

from flows.pipelines.benchmark import measure_one, score_dataset
from flows.pipelines.lot import score_folder
from flows.pipelines.reproduction import reproduce
from musc.layers import Grid
from musc.lnamd import aggregate
from musc.maps import anomaly_maps, pixels_inside
from planning.requests import BenchmarkRequest, request_of
from reports.run_record import read_record
from storage.datasets.synthetic.lot import write_lot
from storage.images.drawn_shapes import DrawnShape as Drawn
from storage.products.ignored_places import IgnoredPlaces, add_ignored
from storage.results.features import LotFeatures
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request, prepare

SETTINGS: dict[str, Any] = {"backbone": "texture", "image_size": 48, "degrees": (1, 3), "interval": (0.0, 0.5)}
SIZE, COUNT = 96, 7


@pytest.fixture(scope="module")
def lot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five good parts, two defective ones, a mask, and a folder of masks: half of odd images, all of others."""
    root = tmp_path_factory.mktemp("region")
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    mask[20:80, 10:60] = 1
    Image.fromarray(mask).save(root / "mask.png")
    (root / "lot").mkdir()
    (root / "masks").mkdir()
    for number, picture in enumerate(write_lot(root / "all", good_count=5, defective_count=2, size=SIZE)):
        (root / "lot" / f"{number}.png").write_bytes(picture.read_bytes())
        own = np.full((SIZE // 2, SIZE // 2), 255, dtype=np.uint8)
        own[:, : SIZE // 4 if number % 2 else 0] = 0
        Image.fromarray(own).save(root / "masks" / f"{number}.bmp")
    return root


def score(lot: Path, **more: Any) -> Run:
    request = lot_request(lot / "lot", lot / "store", **{**SETTINGS, **more})
    return Run(Store(str(lot / "store")), score_folder(request, InlineRunner()).run)


def share_inside(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """The part of each patch's area inside, by counting finer pixels: (rows, columns)."""
    fine = np.kron(mask, np.ones((grid[0], grid[1])))
    return fine.reshape(grid[0], mask.shape[0], grid[1], mask.shape[1]).mean(axis=(1, 3))


def looped_layer(tokens: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Patch scores (N, P) of unit vectors (N, P, C), patches inside compared with patches inside only; NaN outside."""
    scores = np.full(inside.shape, np.nan)
    for query, patch in zip(*np.nonzero(inside), strict=True):
        nearest = [
            np.linalg.norm(tokens[other][inside[other]] - tokens[query, patch], axis=1).min()
            for other in range(len(tokens))
            if other != query
        ]
        scores[query, patch] = np.mean(sorted(nearest)[: max(1, len(nearest) // 2)])
    return scores


@pytest.mark.parametrize("each", [False, True], ids=["one_mask", "mask_each"])
@pytest.mark.parametrize("layers", [(0,), (1,)])
def test_region_inside_scores_are_those_of_the_method_applied_to_it_alone(
    lot: Path, layers: tuple[int, ...], each: bool
) -> None:
    given = {"roi": str(lot / "masks")} if each else {"roi": str(lot / "mask.png")}
    run = score(lot, layers=layers, **given)
    record = read_record(run)
    (layer,) = record.job.backbone.layers
    files = [lot / "masks" / f"{n}.bmp" if each else lot / "mask.png" for n in range(COUNT)]
    masks = [np.asarray(Image.open(file)) > 0 for file in files]
    inside = np.stack([share_inside(mask, layer.grid) >= 0.5 for mask in masks]).reshape(COUNT, -1)
    assert 0 < inside.mean() < 1
    features = LotFeatures(run.store, record.keys.features)
    plain = torch.from_numpy(features.patch_tokens(layer.number, 0, COUNT)).float()
    of_degrees = [aggregate(plain, layer.grid, degree).double().numpy() for degree in (1, 3)]
    expected = np.mean([looped_layer(tokens, inside) for tokens in of_degrees], axis=0)
    found = run.patch_scores().reshape(COUNT, -1)
    assert np.array_equal(np.isnan(found), ~inside)
    np.testing.assert_allclose(found, expected, atol=3e-3)
    raw = run.scores().set_index("path")["raw_score"].sort_index().to_numpy()
    np.testing.assert_allclose(raw, np.nanmax(found, axis=1), atol=0.03)
    whole = score(lot, layers=layers).scores().set_index("path")["raw_score"].sort_index()
    assert not np.allclose(raw, whole, atol=1e-3)


def test_region_of_all_pixels_changes_no_score(lot: Path, tmp_path: Path) -> None:
    Image.new("L", (SIZE * 2, SIZE * 2), 255).save(tmp_path / "all.png")
    whole, masked = score(lot, layers=(0, 2)), score(lot, layers=(0, 2), roi=str(tmp_path / "all.png"))
    np.testing.assert_array_equal(masked.patch_scores(), whole.patch_scores())
    assert masked.path != whole.path


def test_region_is_identified_by_the_patches_inside(lot: Path, tmp_path: Path) -> None:
    pixels = np.asarray(Image.open(lot / "mask.png")) * 255
    Image.fromarray(pixels).resize((SIZE * 2, SIZE * 2), Image.Resampling.NEAREST).save(tmp_path / "larger.png")
    first = score(lot, layers=(0,), roi=str(lot / "mask.png"))
    assert score(lot, layers=(0,), roi=str(tmp_path / "larger.png")).path == first.path


def test_region_with_groups_layers_and_boxes_ends_and_reproduces(lot: Path) -> None:
    run = score(lot, layers=(0, 2), roi=str(lot / "mask.png"), exclude_groups=True, threshold=0.05)
    assert np.isfinite(run.scores()["raw_score"]).all()
    scores = run.scores()
    assert scores["peak_x"].between(8, 66).all()
    assert scores["peak_y"].between(16, 86).all()
    assert reproduce(str(lot / "store" / run.path), None, None, InlineRunner()).identical


@pytest.mark.parametrize(
    ("size", "value", "message"),
    [
        ((SIZE, SIZE // 2), 255, r"must have the proportions of 0.png, 96 × 96 pixels seen upright, got 96 × 48"),
        ((SIZE, SIZE), 0, r"must hold at least half of one patch in every layer, got 0\.0% of the image inside"),
    ],
)
def test_region_of_wrong_mask_is_refused(
    lot: Path, tmp_path: Path, size: tuple[int, int], value: int, message: str
) -> None:
    Image.new("L", size, value).save(tmp_path / "mask.png")
    with pytest.raises(ValueError, match=message):
        score(lot, roi=str(tmp_path / "mask.png"))


def test_region_folder_without_a_mask_is_refused_by_name(lot: Path, tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes((lot / "mask.png").read_bytes())
    with pytest.raises(ValueError, match=r"got none or several in .* for 6 of 7: 1.png, 2.png, .*, 5.png and 1 more"):
        score(lot, roi=str(tmp_path))


def test_region_serves_known_good_parts_too(lot: Path) -> None:
    """The lot as its own good parts: every copy is left out, and the threshold is that of the region alone."""
    given = {"layers": (0,), "roi": str(lot / "masks")}
    (lot / "one").mkdir()
    (lot / "one" / "6.png").write_bytes((lot / "lot" / "6.png").read_bytes())
    request = lot_request(lot / "one", lot / "store", good=str(lot / "lot"), **{**SETTINGS, **given})
    run = Run(Store(str(lot / "store")), score_folder(request, InlineRunner()).run)
    whole = score(lot, **given)
    position = [image.path for image in whole.scored_images()].index("6.png")
    np.testing.assert_allclose(run.patch_scores()[0], whole.patch_scores()[position], atol=1e-5)


def test_region_of_a_benchmark_leaves_pixels_outside_out_of_the_metrics(mvtec_ad_root: Path, tmp_path: Path) -> None:
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[8:40, 16:48] = 255
    Image.fromarray(mask).save(tmp_path / "roi.png")
    given = {"dataset": "mvtec_ad", "root": str(mvtec_ad_root), "output": str(tmp_path), "categories": "bottle"}
    given |= {**SETTINGS, "layers": (0,), "roi": str(tmp_path / "roi.png")}
    runner = InlineRunner()
    score_dataset(request_of(BenchmarkRequest, given), runner, partial(measure_one, runner=runner))
    (run,) = (Run(Store(str(tmp_path)), f"runs/{path.name}") for path in (tmp_path / "runs").iterdir())
    (table,) = (pd.read_parquet(path) for path in (tmp_path / "metrics").glob("*/metrics.parquet"))
    truth, scores = [], []
    for image, cells in zip(run.scored_images(), run.patch_scores(), strict=True):
        patches = torch.from_numpy(cells).reshape(1, -1)
        inside = pixels_inside(patches, cells.shape, (48, 48))[0].numpy()
        assert 0.2 < inside.mean() < 0.5
        defect = Image.new("L", (64, 64))
        if "/good/" not in image.path:
            place = image.path.replace("/test/", "/ground_truth/").replace(".png", "_mask.png")
            defect = Image.open(mvtec_ad_root / place)
        truth.append((np.asarray(defect.resize((48, 48), Image.Resampling.BILINEAR)) == 255)[inside])
        scores.append(anomaly_maps(patches, cells.shape, (48, 48))[0].numpy()[inside])
    expected = roc_auc_score(np.concatenate(truth), np.concatenate(scores))
    value = table.set_index("metric")["value"]["pixel_auroc"]
    assert value == pytest.approx(expected, abs=2e-3)
    Image.fromarray(mask[::-1].copy()).save(tmp_path / "roi.png")
    score_dataset(request_of(BenchmarkRequest, given), runner, partial(measure_one, runner=runner))
    assert len(list((tmp_path / "benchmarks").iterdir())) == 2, "another region must not replace the first one's table"


def test_region_that_is_neither_a_mask_nor_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"roi must be an existing local mask file, or folder of masks, got absent"):
        prepare(tmp_path, tmp_path / "store", backbone="texture", roi="absent")


def draw(lot: Path, category: str, *points: tuple[float, float], width: int = SIZE, height: int = SIZE) -> None:
    regions = (Drawn("outline", points),) if points else ()
    store = Store(str(lot / "store"))
    add_ignored(store, IgnoredPlaces(category, width, height, regions, "Ada", "runs/x", "0"))


def test_drawn_places_are_left_out_as_if_a_mask_said_so(lot: Path, tmp_path: Path) -> None:
    """A box drawn on a photograph of twice the size, with a mask and alone; taken back, it is as if never drawn."""
    given = {"layers": (0,), "category": "cap", "ignore_drawn": True}
    never = score_folder(lot_request(lot / "lot", lot / "store", **SETTINGS, **given), InlineRunner())
    assert "no place is drawn to be ignored for cap" in never.notes[0]
    draw(lot, "cap", (40, 0), (192, 0), (192, 80), (40, 80), width=2 * SIZE, height=2 * SIZE)
    mask = np.full((SIZE, SIZE), 255, dtype=np.uint8)
    mask[:40, 20:] = 0
    Image.fromarray(mask).save(tmp_path / "alone.png")
    Image.fromarray(mask * (np.asarray(Image.open(lot / "mask.png")) > 0)).save(tmp_path / "both.png")
    alone, both = score(lot, **given), score(lot, **given, roi=str(lot / "mask.png"))
    same = {"layers": (0,), "category": "cap"}
    assert alone.path == score(lot, **same, roi=str(tmp_path / "alone.png")).path
    assert both.path == score(lot, **same, roi=str(tmp_path / "both.png")).path
    assert len({alone.path, both.path, never.run}) == 3
    assert reproduce(str(lot / "store" / alone.path), None, None, InlineRunner()).identical
    draw(lot, "cap")
    assert score(lot, **given).path == never.run


@pytest.mark.parametrize(
    ("points", "size", "message"),
    [
        ([(0, 0), (96, 0), (96, 96), (0, 96)], (SIZE, SIZE), r"drew to be ignored in tin must hold .* leave more of"),
        ([(0, 0), (9, 0), (9, 9)], (SIZE, 50), r"Ada drew .* in tin must have the proportions of 0.png, 96 × 96"),
    ],
)
def test_drawn_places_that_cannot_serve_are_refused(
    lot: Path, points: list[tuple[float, float]], size: tuple[int, int], message: str
) -> None:
    draw(lot, "tin", *points, width=size[0], height=size[1])
    with pytest.raises(ValueError, match=message):
        score(lot, category="tin", ignore_drawn=True)
