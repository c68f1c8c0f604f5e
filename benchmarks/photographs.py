"""Figures of a backbone on labelled photographs, for every choice of image size, layers and degrees.

    python benchmarks/photographs.py ../shared/data/mvtec_ad ../shared/data/cookies ../shared/data/magnetic_tile
    python benchmarks/photographs.py ROOT --image-sizes 256 320 --layers 3,4,5,6,7 3,5,7 --degrees 1,3 1,3,5

Every folder has the layout of `musc benchmark folder`, and the default row gives that command's figures: features are
rounded to float16 as the store keeps them, and masks are resized to the network's size. AUROC and AP of images are
those of rescored scores, `raw` is without RsCIN. CPU is the CPU time of scoring, extraction not counted.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from benchmarks.inputs import add_json_option, folder_parser, print_table, table_row
from musc import backbones
from musc.backbones import with_defaults
from musc.layers import Grid, Layer, finest_grid
from musc.lnamd import aggregate
from musc.maps import anomaly_maps, image_scores, on_grid
from musc.metrics import image_metrics, pixel_metrics
from musc.mutual import mutual_scores
from musc.rscin import rescore
from musc.settings import Settings
from storage.datasets import Category, list_categories, load_mask_at
from storage.images.decode import decode

TITLES = (
    "lot",
    "pixels",
    "layers",
    "degrees",
    "image AUROC",
    "raw",
    "image AP",
    "pixel AUROC",
    "AP",
    "AU-PRO",
    "CPU s",
)
FIGURES = ("image_auroc", "image_auroc_raw", "image_ap", "pixel_auroc", "pixel_ap", "pixel_aupro")

Numbers = tuple[int, ...]


class Lot(NamedTuple):
    """The scored test images of one category, every layer and degree by itself."""

    category: Category
    masks: np.ndarray
    """Bool (N, H, W) at the network's size."""
    class_tokens: torch.Tensor
    scores: dict[tuple[int, int], torch.Tensor]
    """Patch scores (N, P) by layer number and degree."""
    seconds: dict[tuple[int, int], float]
    """Processor time of each."""
    layers: dict[int, Layer]


def scored_lot(root: Path, category: Category, backbone: backbones.Backbone, degrees: Numbers) -> Lot:
    """Extract the images of a category and score every layer and degree."""
    pictures = [decode((root / image.path).read_bytes()) for image in category.images]
    features = backbone.extract(pictures)
    size = backbone.spec.image_size
    masks = np.stack([load_mask_at(root, image, size, category.dataset) for image in category.images])
    lot = Lot(category, masks, features.class_tokens, {}, {}, {layer.number: layer for layer in backbone.spec.layers})
    for layer, tokens in zip(backbone.spec.layers, features.patch_tokens, strict=True):
        for degree in degrees:
            started = time.process_time()
            scores = mutual_scores(aggregate(tokens.half(), layer.grid, degree), Settings().interval)
            lot.scores[layer.number, degree] = scores
            lot.seconds[layer.number, degree] = time.process_time() - started
    return lot


def figures_of(lot: Lot, numbers: Numbers, degrees: Numbers) -> dict[str, float]:
    """Metrics of one choice of layers and degrees."""
    grid: Grid = finest_grid([lot.layers[number] for number in numbers])
    chosen = [(number, degree) for number in numbers for degree in degrees]
    parts = [on_grid(lot.scores[number, degree], lot.layers[number].grid, grid) for number, degree in chosen]
    maps = anomaly_maps(torch.stack(parts).mean(dim=0), grid, (lot.masks.shape[1], lot.masks.shape[2]))
    raw = image_scores(maps)
    labels = [image.label for image in lot.category.images]
    rescored = image_metrics(labels, rescore(raw, lot.class_tokens))
    pixels = pixel_metrics(lot.masks, maps)
    return {
        "image_auroc": rescored["auroc"],
        "image_auroc_raw": image_metrics(labels, raw)["auroc"],
        "image_ap": rescored["ap"],
        "pixel_auroc": pixels["auroc"],
        "pixel_ap": pixels["ap"],
        "pixel_aupro": pixels["aupro"],
        "cpu_seconds": sum(lot.seconds[one] for one in chosen),
    }


def rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row per category, image size, layers and degrees."""
    own = with_defaults(Settings(backbone=options.backbone)).degrees
    degree_sets: list[Numbers] = options.degrees or [own]
    degrees = tuple(dict.fromkeys(degree for chosen in degree_sets for degree in chosen))
    for root in options.roots:
        for category in list_categories("folder", root):
            for side in options.image_sizes or [None]:
                layer_sets: list[Numbers] = options.layers or [()]
                wanted = sorted({number for chosen in layer_sets for number in chosen}) or None
                backbone = backbones.load(
                    options.backbone, weights=options.weights, image_size=side, layers=wanted, device="cpu"
                )
                lot = scored_lot(root, category, backbone, degrees)
                for numbers in layer_sets:
                    for chosen in degree_sets:
                        taken = numbers or tuple(lot.layers)
                        choice = {"lot": category.name, "pixels": backbone.spec.image_size[0], "layers": taken}
                        yield {**choice, "degrees": chosen, **figures_of(lot, taken, chosen)}


def text_of(row: dict[str, Any]) -> str:
    """A row of a Markdown table."""
    numbers = [",".join(map(str, row[name])) for name in ("layers", "degrees")]
    figures = [f"{row[name]:.3f}" for name in FIGURES]
    return table_row([row["lot"], str(row["pixels"]), *numbers, *figures, format(row["cpu_seconds"], ".0f")])


def numbers_of(text: str) -> Numbers:
    """Numbers separated by commas."""
    return tuple(int(part) for part in text.split(","))


def main(arguments: Sequence[str]) -> None:
    """The command line: a table that Markdown understands."""
    parser = folder_parser(__doc__)
    parser.add_argument("--weights", help="tag or file; of the backbone's own choice unless given")
    parser.add_argument("--image-sizes", type=int, nargs="+", help="sides in pixels; the backbone's own unless given")
    parser.add_argument(
        "--layers", type=numbers_of, nargs="+", metavar="N,N", help="sets of layers; its own unless given"
    )
    parser.add_argument(
        "--degrees", type=numbers_of, nargs="+", metavar="N,N", help="sets of degrees; its own unless given"
    )
    add_json_option(parser)
    options = parser.parse_args(arguments)
    print_table(TITLES, rows(options), text_of, options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
