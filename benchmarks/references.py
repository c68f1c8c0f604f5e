"""Fewer references and nearer ones: how scores with --references and --match-radius compare with the full method.

    python benchmarks/references.py
    python benchmarks/references.py --only sample --images 200 --lots 2 --draws 3
    python benchmarks/references.py --only speed --shape 12,1369,1024

Lots are drawn by `storage.datasets.synthetic.lot`, 15 % of the parts defective, and scored with the `texture` backbone.
Rank correlation (Spearman) is that of raw image scores with the full method's; AUROCs are against the planted defects.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from PIL import Image
from scipy.stats import spearmanr

from musc import backbones
from musc.lnamd import aggregate
from musc.lot import pixel_digest
from musc.maps import anomaly_maps, image_scores
from musc.metrics import image_metrics, pixel_metrics
from musc.mutual import mutual_scores
from musc.plan.sample import draw_sample
from musc.plan.shard_memory import pair_products
from storage.datasets.synthetic.defects import KINDS
from storage.datasets.synthetic.lot import draw_part
from storage.datasets.synthetic.parts import PARTS

FRACTIONS = (0.05, 0.1, 0.2, 0.5)
"""M / N of the samples."""
WINDOWS = (1, 2, 4, 8)
DEFECTIVE = 0.15
DEGREE = 3


class Lot(NamedTuple):
    """A drawn lot with its features after LNAMD."""

    name: str
    contents: list[str]
    masks: np.ndarray
    """Bool (N, H, W)."""
    features: list[torch.Tensor]
    """One float32 (N, P, C) per layer."""
    grid: tuple[int, int]


def drawn_lots(image_count: int, lot_count: int, size: int) -> Iterator[Lot]:
    """Lots of every kind of part."""
    backbone = backbones.load("texture", image_size=size)
    for part, seed in product(PARTS, range(lot_count)):
        defective = round(DEFECTIVE * image_count)
        kinds = [list(KINDS)[number % len(KINDS)] for number in range(defective)] + [None] * (image_count - defective)
        drawn = [draw_part(part, kind, seed=seed, number=number, size=size) for number, kind in enumerate(kinds)]
        images = [Image.fromarray(picture) for picture, _ in drawn]
        tokens = backbone.extract(images).patch_tokens
        yield Lot(
            f"{part} {seed}",
            [pixel_digest(image) for image in images],
            np.stack([mask for _, mask in drawn]),
            [aggregate(of_layer, backbone.spec.grid, DEGREE) for of_layer in tokens],
            backbone.spec.grid,
        )


def figures(lot: Lot, **references: Any) -> tuple[dict[str, float], np.ndarray]:
    """Time and AUROCs of one way to score a lot, and its image scores."""
    started = time.perf_counter()
    scores = torch.stack([mutual_scores(of_layer, **references) for of_layer in lot.features]).mean(dim=0)
    seconds = time.perf_counter() - started
    maps = anomaly_maps(scores, lot.grid, lot.masks.shape[1:])
    of_images = image_scores(maps).numpy()
    labels = lot.masks.any(axis=(1, 2))
    return {
        "seconds": seconds,
        "image_auroc": image_metrics(labels, of_images)["auroc"],
        "pixel_auroc": pixel_metrics(lot.masks, maps.numpy())["auroc"],
    }, of_images


def sample_rows(image_count: int, lot_count: int, draw_count: int, size: int) -> Iterator[dict[str, Any]]:
    """Every lot with the full method and with samples of every size."""
    for lot in drawn_lots(image_count, lot_count, size):
        full, expected = figures(lot)
        yield {"lot": lot.name, "references": image_count - 1, "spearman": 1.0, **full}
        for fraction, seed in product(FRACTIONS, range(draw_count)):
            count = max(1, round(fraction * image_count))
            found, scores = figures(lot, sample=draw_sample(lot.contents, count, seed))
            yield {"lot": lot.name, "references": count, "spearman": spearmanr(expected, scores)[0], **found}


def window_rows(image_count: int, lot_count: int, size: int) -> Iterator[dict[str, Any]]:
    """Every lot with matches from everywhere and with windows of several sizes."""
    for lot in drawn_lots(image_count, lot_count, size):
        for match_radius in (None, *WINDOWS):
            found, _ = figures(lot, match_radius=match_radius, grid=lot.grid)
            yield {"lot": lot.name, "match_radius": match_radius or "none", **found}


def speed_rows(shape: Sequence[int], repeats: int) -> Iterator[dict[str, Any]]:
    """Best times on random features of a square grid, and the part of the products that is left."""
    image_count, patch_count, width = shape
    side = round(patch_count**0.5)
    torch.manual_seed(0)
    features = F.normalize(torch.randn(image_count, side**2, width), dim=-1)
    for match_radius in (None, *WINDOWS):
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            mutual_scores(features, match_radius=match_radius, grid=(side, side))
            times.append(time.perf_counter() - started)
        share = pair_products((side, side), match_radius) / side**4
        yield {"match_radius": match_radius or "none", "seconds": min(times), "products": share}


def compared(rows: Sequence[dict[str, Any]], by: str) -> pd.DataFrame:
    """Means over lots and draws; AUROCs also as the largest loss against the first way of the same lot."""
    table = pd.DataFrame(rows)
    full = table.groupby("lot", sort=False).first()
    for metric in ("image_auroc", "pixel_auroc"):
        table[f"largest_loss_{metric}"] = table["lot"].map(full[metric]) - table[metric]
    table["time_ratio"] = table["lot"].map(full["seconds"]) / table["seconds"]
    worst = {name: "max" for name in table if str(name).startswith("largest")}
    means = dict.fromkeys(("image_auroc", "pixel_auroc", "time_ratio"), "mean")
    grouped = table.groupby(by, sort=False)
    summary = grouped.agg(means | worst)
    if "spearman" in table:
        summary.insert(0, "spearman_least", grouped["spearman"].min())
        summary.insert(0, "spearman_mean", grouped["spearman"].mean())
    return summary.reset_index()


def main() -> None:
    """Read the options, measure, print; `--json` also writes the figures to a file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    options.add_argument("--only", choices=["sample", "match_radius", "speed"], help="one of the tables; default: all")
    options.add_argument("--images", type=int, help="N; default: 200 for sample, 40 for window")
    options.add_argument("--size", type=int, help="pixels; default: 128 for sample, 256 for window")
    options.add_argument("--lots", type=int, default=2, help="of each kind of part")
    options.add_argument("--draws", type=int, default=3, help="samples of each size")
    options.add_argument("--shape", default="12,1369,1024", help="N,P,C of the speed table")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--json", help="file for the figures")
    given = options.parse_args()
    tables = {}
    if given.only in (None, "sample"):
        rows = list(sample_rows(given.images or 200, given.lots, given.draws, given.size or 128))
        tables["sample"] = compared(rows, "references")
    if given.only in (None, "match_radius"):
        tables["match_radius"] = compared(
            list(window_rows(given.images or 40, given.lots, given.size or 256)), "match_radius"
        )
    if given.only in (None, "speed"):
        tables["speed"] = pd.DataFrame(speed_rows([int(text) for text in given.shape.split(",")], given.repeats))
    for name, table in tables.items():
        print(f"\n{name}\n{table.to_string(index=False, float_format='{:.4f}'.format)}")
    if given.json:
        with open(given.json, "w") as file:  # noqa: PTH123
            json.dump({name: table.to_dict("records") for name, table in tables.items()}, file)


if __name__ == "__main__":
    main()
