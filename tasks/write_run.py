"""What `tasks.rescore` writes: the averaged shards, image scores, RsCIN, and the run's tables and record."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import torch

from musc.image_scores import score_maps, usual_scores
from musc.maps import map_size, on_grid
from musc.plan.lot_as_tiles import tile_count
from musc.plan.shards import Shard
from musc.rscin import rescore
from musc.settings import needs_usual
from planning.task_specs import RunSpec
from reports.decisions import LotResult, box_table, decide_run
from reports.earlier_scores import night_scores
from reports.make_run_record import run_record, versions, versions_line
from reports.readme_txt import readme
from reports.verdicts.known_good import judged_good_scores
from storage.artefacts import digest
from storage.images.lots import ListedImage, load_lot, usable_images
from storage.results.features import LotFeatures, mark_excluded
from storage.results.patch_scores import read_scores, score_grid, write_scores
from storage.results.runs import BOXES, IMAGES, PATCH_SCORES, README, SCORES, write_record
from storage.store import Store
from storage.tables import write_table
from tasks.tiled_images import image_tokens, stitch_tiles

if TYPE_CHECKING:
    import pandas as pd


log = logging.getLogger(__name__)


def write_run(store: Store, spec: RunSpec, folder: str) -> None:
    """Put the shards of a lot together and write the run's files into a folder."""
    import pandas as pd

    features = LotFeatures(store, spec.blocks)
    listing = load_lot(store, spec.lot_key)
    tiles = tile_count(spec.job.settings, usable_images(listing))
    images = mark_excluded(listing, features, tiles)
    usable = usable_images(images)
    patch_scores = average_shards(store, spec.shards, spec.job.backbone.grid, tiles * len(usable))
    fine = fine_scores(store, spec, len(patch_scores)) if tiles == 1 else None
    if tiles > 1:
        patch_scores = stitch_tiles(spec.job, usable, patch_scores)
    size = map_size(spec.job.backbone.image_size, (patch_scores.shape[1], patch_scores.shape[2]))
    raw, peaks, good = image_scores(store, spec, patch_scores, size)
    write_scores(store, f"{folder}/{PATCH_SCORES}", patch_scores, {"lot": spec.job.lot}, fine)
    write_table(store, f"{folder}/{IMAGES}", pd.DataFrame([asdict(image) for image in images]))
    nights = night_scores(store, spec.nights)
    result = decide_run(store, spec, raw, patch_scores, good, [night.raw_scores for night in nights])
    table = score_table(spec, usable, raw, peaks, image_tokens(features, tiles), result)
    write_table(store, f"{folder}/{SCORES}", table)
    boxes = box_table(result, usable, patch_scores, patch_scores if fine is None else fine, size)
    write_table(store, f"{folder}/{BOXES}", boxes)
    record = run_record(spec, images, result, tuple(night.run for night in nights))
    decision = record.decision
    counts = decision.flagged_count, decision.suspect_count, decision.reference_count, decision.basis
    log.info("%s: %d images flagged, %d suspect, from %d parts (%s)", spec.job.lot, *counts)
    write_record(store, folder, record.model_dump(mode="json"))
    store.write(f"{folder}/{README}", readme(record).encode())


def image_scores(
    store: Store, spec: RunSpec, patch_scores: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Raw scores of the images, their places, and raw scores of known good images; see `musc.image_scores.score_maps`.

    What is usual at a place is the median of the known good photographs where these were scored, else of the lot. Good
    are these photographs, each with itself left out, or else parts that people judged good.

    Returns:
        Float32 (N,); (N, 2), fractions of height and width; (G,), or None where nothing is known of good images.
    """
    which = spec.job.settings.image_score
    if spec.good is None or not spec.good.shards:
        usual = usual_scores(patch_scores) if needs_usual(which) else None
        return *score_maps(patch_scores, size, which, usual), judged_good_scores(store, spec.job)
    good = average_shards(store, spec.good.shards, spec.job.backbone.grid, spec.good.image_count)
    usual = usual_scores(good) if needs_usual(which) else None
    return *score_maps(patch_scores, size, which, usual), score_maps(good, size, which, usual)[0]


def average_shards(
    store: Store, shards: Sequence[tuple[Shard, str]], finest: tuple[int, int], image_count: int
) -> np.ndarray:
    """Mean of the stored shards' patch scores; see `average_layers`."""
    parts = ((slice(shard.start, shard.stop), read_scores(store, path)) for shard, path in shards)
    return average_layers(parts, finest, image_count)


def fine_scores(store: Store, spec: RunSpec, image_count: int) -> np.ndarray | None:
    """Mean patch scores of the layers with the finest grid, float32 (N, rows, columns); None if all have it."""
    finest = spec.job.backbone.grid
    fine = [(shard, path) for shard, path in spec.shards if score_grid(store, path) == finest]
    return average_shards(store, fine, finest, image_count) if 0 < len(fine) < len(spec.shards) else None


def average_layers(parts: Iterable[tuple[slice, np.ndarray]], finest: tuple[int, int], image_count: int) -> np.ndarray:
    """Mean of the layers' patch scores on the finest grid of all layers: float32 (N, rows, columns).

    Where there is a region of interest, a layer without any patch inside nearby says nothing of a patch, and what lies
    outside on the finest grid is NaN.

    Args:
        parts: which images, and their patch scores (n, rows, columns) in one layer.
        finest: rows and columns.
        image_count: N.
    """
    total, counts = np.zeros((image_count, *finest)), np.zeros((image_count, *finest), dtype=np.uint16)
    outside = np.zeros((image_count, *finest), dtype=bool)
    for images, scores in parts:
        grid = scores.shape[1], scores.shape[2]
        resized = on_grid(torch.from_numpy(scores).flatten(1), grid, finest)
        values = resized.view(-1, *finest).numpy()
        present = ~np.isnan(values)
        total[images] += np.where(present, values, 0)
        counts[images] += present
        outside[images] |= ~present & (grid == finest)
    outside |= counts == 0
    total /= np.maximum(counts, 1)
    total[outside] = np.nan  # in place: all tiles of a lot of large photographs may be here
    return total.astype(np.float32)


def score_table(
    spec: RunSpec,
    images: Sequence[ListedImage],
    raw: np.ndarray,
    peaks: np.ndarray,
    class_tokens: np.ndarray,
    result: LotResult,
) -> "pd.DataFrame":
    """A row per scored image, most anomalous first: by the raw score, from which the decision is taken.

    Peaks are in pixels of the original upright image.
    """
    import pandas as pd

    lot_decision = result.decision
    scores = rescore(torch.from_numpy(raw), torch.from_numpy(class_tokens), spec.job.settings.rscin_windows).numpy()
    table = pd.DataFrame(
        {
            "image_id": [image.image_id for image in images],
            "path": [image.path for image in images],
            "raw_score": raw,
            "score": scores,
            "peak_x": (peaks[:, 1] * [image.width for image in images]).astype(int),
            "peak_y": (peaks[:, 0] * [image.height for image in images]).astype(int),
            "decision": [decision.value for decision in lot_decision.decisions],
            "p_value": lot_decision.rule.p_values,
            "threshold": finite_or_nan(lot_decision.flag_threshold),
            "suspect_threshold": finite_or_nan(lot_decision.suspect_threshold),
            "group": result.group,
            "sha256": [image.sha256 for image in images],
            **provenance(spec),
        }
    )
    table = table.sort_values(["raw_score", "path"], ascending=[False, True], ignore_index=True)
    table.insert(4, "rank", np.arange(1, len(table) + 1))
    return table


def finite_or_nan(threshold: float) -> float:
    """A threshold as tables hold it: NaN where nothing can reach it."""
    return threshold if np.isfinite(threshold) else float("nan")


def provenance(spec: RunSpec) -> dict[str, str]:
    """Where every row comes from."""
    job = spec.job
    return {
        "lot": job.lot,
        "category": job.category,
        "backbone": job.backbone.name,
        "weights_digest": job.backbone.weights_digest,
        "settings_digest": digest(job.score_identity),
        "musc_version": versions()["musc"],
        "versions": versions_line(),
    }
