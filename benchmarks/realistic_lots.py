"""The decision rule on lots as a factory has them: good photographs with a few defective ones, drawn again and again.

    python benchmarks/realistic_lots.py ../shared/data/mvtec_ad ../shared/data/cookies ../shared/data/magnetic_tile

Good photographs are those of `test/good`, and of `train/good` where there is one; nine tenths of them are drawn for
each lot. All images are compared once; a lot's scores then follow from the comparisons of its own images, as if the lot
had been scored alone. *Fewest errors*: missed and false alarms together, at the best threshold anyone could choose.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks.inputs import add_json_option, add_lot_options, folder_parser, print_table
from musc import backbones
from musc.backbones import with_defaults
from musc.decisions.decide import decide
from musc.kernels.products import fill_symmetric
from musc.layers import Layer
from musc.lnamd import aggregate
from musc.maps import anomaly_maps, image_scores, on_grid
from musc.metrics import image_metrics
from musc.mutual import interval_mean
from musc.settings import Settings
from storage.datasets import Category, list_categories
from storage.datasets.files import images_in
from storage.images.decode import decode

SHARES = (0.0, 0.05, 0.10, 0.15)
"""Fractions of defective parts."""
GOOD_DRAWN = 0.9
TITLES = (
    "lot",
    "lots",
    "good + defective",
    "raw AUROC",
    "flagged",
    "missed",
    "false alarms",
    "lots with a flag",
    "fewest errors",
)


class Compared(NamedTuple):
    """All photographs of a product, each compared with each other."""

    defective: np.ndarray
    """Bool (N,)."""
    similarities: list[tuple[Layer, torch.Tensor]]
    """Per layer and degree float32 (N, N, P): the largest similarity of every patch of an image to each other image."""
    spec: backbones.BackboneSpec


def compared(root: Path, category: Category, backbone: backbones.Backbone, degrees: Sequence[int]) -> Compared:
    """Compare the good and defective photographs of a category."""
    spare = images_in(root / category.name / "train" / "good")
    paths = [*(root / image.path for image in category.images), *spare]
    defective = np.array([bool(image.label) for image in category.images] + [False] * len(spare))
    features = backbone.extract([decode(path.read_bytes()) for path in paths])
    similarities = []
    for layer, tokens in zip(backbone.spec.layers, features.patch_tokens, strict=True):
        for degree in degrees:
            nearest = torch.full((len(paths), len(paths), layer.patch_count), -torch.inf)
            fill_symmetric(nearest, aggregate(tokens.half(), layer.grid, degree))
            similarities.append((layer, nearest))
    return Compared(defective, similarities, backbone.spec)


def raw_scores(found: Compared, chosen: Sequence[int]) -> np.ndarray:
    """Raw image scores (n,) of the chosen images as a lot of their own."""
    grid, parts = found.spec.grid, []
    for layer, nearest in found.similarities:
        scores = [interval_mean(nearest[image, list(chosen)], Settings().interval) for image in chosen]
        parts.append(on_grid(torch.stack(scores), layer.grid, grid))
    return image_scores(anomaly_maps(torch.stack(parts).mean(dim=0), grid, found.spec.image_size)).numpy()


def lots(found: Compared, share: float, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Raw scores and truth of `count` drawn lots."""
    good, bad = np.flatnonzero(~found.defective), np.flatnonzero(found.defective)
    good_count = round(GOOD_DRAWN * len(good))
    bad_count = round(share * good_count / (1 - share))
    for seed in range(count):
        rng = np.random.default_rng([seed, bad_count])
        chosen = np.sort(np.r_[rng.permutation(good)[:good_count], rng.permutation(bad)[:bad_count]])
        yield raw_scores(found, chosen.tolist()), found.defective[chosen]


def row_of(name: str, judged: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """What the rule does to lots, and the fewest errors that a threshold could make."""
    flags = [decide(raw).flagged for raw, _ in judged]
    truth = [defective for _, defective in judged]
    both = list(zip(flags, truth, strict=True))
    aurocs = [image_metrics(defective, raw)["auroc"] for raw, defective in judged if defective.any()]
    return {
        "lot": name,
        "lots": len(judged),
        "good": int((~truth[0]).sum()),
        "defective": int(truth[0].sum()),
        "raw_auroc": float(np.mean(aurocs)) if aurocs else float("nan"),
        "flagged": sum(int((flag & bad).sum()) for flag, bad in both),
        "missed": sum(int((~flag & bad).sum()) for flag, bad in both),
        "false_alarms_per_lot": sum(int((flag & ~bad).sum()) for flag, bad in both) / len(judged),
        "lots_with_a_flag": sum(bool(flag.any()) for flag in flags),
        "fewest_errors_per_lot": float(np.mean([fewest_errors(raw, defective) for raw, defective in judged])),
    }


def fewest_errors(raw: np.ndarray, defective: np.ndarray) -> int:
    """Missed and false alarms together at the best threshold."""
    errors = [int(((raw >= threshold) != defective).sum()) for threshold in (*raw, np.inf)]
    return min(errors)


def text_of(row: dict[str, Any]) -> str:
    """A row of a Markdown table."""
    auroc = "–" if np.isnan(row["raw_auroc"]) else f"{row['raw_auroc']:.3f}"
    return (
        f"| {row['lot']} | {row['lots']} | {row['good']} + {row['defective']} | {auroc} | {row['flagged']} "
        f"| {row['missed']} | {row['false_alarms_per_lot']:.1f} a lot | {row['lots_with_a_flag']} "
        f"| {row['fewest_errors_per_lot']:.1f} a lot |"
    )


def main(arguments: Sequence[str]) -> None:
    """The command line: a table that Markdown understands."""
    parser = folder_parser(__doc__)
    add_lot_options(parser, shares=SHARES, draws=20)
    add_json_option(parser)
    options = parser.parse_args(arguments)
    backbone = backbones.load(options.backbone, image_size=options.image_size, device="cpu")
    degrees = with_defaults(Settings(backbone=options.backbone)).degrees
    products = ((root, category) for root in options.roots for category in list_categories("folder", root))
    rows = (
        row_of(category.name, list(lots(found, share, options.draws)))
        for root, category in products
        for found in [compared(root, category, backbone, degrees)]
        for share in options.shares
    )
    print_table(TITLES, rows, text_of, options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
