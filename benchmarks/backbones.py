"""Compare backbones that need no download: figures on drawn lots and a labelled folder, and images per second.

    python benchmarks/backbones.py --root ../shared/data/magnetic_tile
    python benchmarks/backbones.py --root ../shared/data/magnetic_tile --parts --backbones synthetic-conv --layers 0 1

A random ViT-B/16 is open_clip's configuration with weights drawn from a seed: what an untrained network reaches.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from inputs import make_weights, model_name
from PIL import Image

from musc import backbones
from musc.lot import score_images
from musc.metrics import image_metrics, pixel_metrics
from musc.settings import Settings
from storage.datasets import LabelledImage, list_categories, load_mask_at
from storage.generated import write_lot
from storage.parts import PARTS

BACKBONES = ("texture", "synthetic-conv", "random ViT-B-16")
RANDOM_SIDE = 224
"""Pixels for untrained networks: their own size, as more would only take longer."""

IMAGES_TIMED = 16
"""Images of each lot whose extraction is timed."""

FIGURES = ("image_auroc", "image_auroc_raw", "pixel_auroc", "pixel_aupro")
"""`image_auroc_raw` is without RsCIN."""


def load(name: str, folder: Path, image_size: int | None, layers: Sequence[int] | None = None) -> backbones.Backbone:
    """A backbone of the comparison, on the CPU; `random NAME` is an open_clip model that was never trained."""
    if not name.startswith("random "):
        return backbones.load(name, image_size=image_size, layers=layers, device="cpu")
    model = name.removeprefix("random ")
    weights, side = make_weights(model, folder), image_size or RANDOM_SIDE
    return backbones.load(model_name(model), weights=weights, image_size=side, layers=layers, device="cpu")


def list_lots(
    folder: Path, root: Path | None, parts: Sequence[str], counts: tuple[int, int], size: int
) -> Iterator[tuple[str, Path]]:
    """Name and root of every lot: the drawn parts, each in a root of its own, then the labelled folder's categories."""
    for part in parts:
        write_lot(folder / part / part, part=part, good_count=counts[0], defective_count=counts[1], size=size)
        yield part, folder / part
    if root is not None:
        for category in list_categories("folder", root):
            yield category.name, root


def measure(name: str, root: Path, backbone: backbones.Backbone) -> dict[str, Any]:
    """Figures of one lot, as `musc benchmark folder` gives them, and how fast its features came."""
    category = list_categories("folder", root, [name])[0]
    pictures = [Image.open(root / image.path).convert("RGB") for image in category.images]
    timed = pictures[:IMAGES_TIMED]
    start = time.perf_counter()
    backbone.extract(timed)
    seconds = time.perf_counter() - start
    scored = score_images(pictures, backbone, degrees=Settings.degrees)
    labels = [image.label for image in category.images]
    masks = np.stack(
        [load_mask_at(root, image, backbone.spec.image_size, category.dataset) for image in category.images]
    )
    pixels = pixel_metrics(masks, scored.anomaly_maps)
    return {
        "image_auroc": image_metrics(labels, scored.image_scores)["auroc"],
        "image_auroc_raw": image_metrics(labels, scored.raw_image_scores)["auroc"],
        "pixel_auroc": pixels["auroc"],
        "pixel_aupro": pixels["aupro"],
        "images_per_second": len(timed) / seconds,
        "by_defect": by_defect(category.images, masks, scored.anomaly_maps),
    }


def by_defect(
    images: Sequence[LabelledImage], masks: np.ndarray, anomaly_maps: torch.Tensor
) -> dict[str, dict[str, float]]:
    """By kind of defect: its share of all defective pixels, and the mean of the pixel AUROC inside each picture."""
    found = {}
    for kind in sorted({image.defect_type for image in images if image.label}):
        own = [index for index, image in enumerate(images) if image.defect_type == kind]
        inside = [pixel_metrics(masks[index : index + 1], anomaly_maps[index : index + 1])["auroc"] for index in own]
        share = np.count_nonzero(masks[own]) / np.count_nonzero(masks)
        found[kind] = {"share_of_pixels": share, "pixel_auroc_inside": float(np.mean(inside))}
    return found


def main(arguments: list[str]) -> None:
    """The command line: a row per lot and backbone, as a table that Markdown understands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--root", type=Path, help="a labelled folder to measure as well, as for `musc benchmark folder`"
    )
    parser.add_argument(
        "--backbones",
        nargs="+",
        default=list(BACKBONES),
        help="names; `random NAME` is untrained, NAME an open_clip model or a JSON file that describes one",
    )
    parser.add_argument("--parts", nargs="*", default=list(PARTS), help="drawn lots (default: all)")
    parser.add_argument("--images", type=int, nargs=2, default=(44, 20), metavar=("GOOD", "DEFECTIVE"))
    parser.add_argument("--size", type=int, default=256, help="side of the drawn pictures in pixels")
    parser.add_argument("--image-size", type=int, help="of all backbones; each has a default of its own")
    parser.add_argument("--layers", type=int, nargs="+", help="of all backbones; each has a default of its own")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured to this file as well")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    rows = []
    titles = ("lot", "backbone", "pixels", "image AUROC", "without RsCIN", "pixel AUROC", "AU-PRO", "images/s")
    print(f"| {' | '.join(titles)} |", "|---" * len(titles) + "|", sep="\n")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for lot, root in list_lots(folder, options.root, options.parts, tuple(options.images), options.size):
            for name in options.backbones:
                backbone = load(name, folder, options.image_size, options.layers)
                figures = measure(lot, root, backbone)
                rows.append({"lot": lot, "backbone": name, "pixels": backbone.spec.image_size[0], **figures})
                shares = " | ".join(f"{100 * figures[figure]:.1f} %" for figure in FIGURES)
                rate = f"{figures['images_per_second']:.1f}"
                print(f"| {lot} | {name} | {rows[-1]['pixels']} | {shares} | {rate} |", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
