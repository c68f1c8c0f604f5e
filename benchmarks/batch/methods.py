"""Published batch methods beside MuSc, on the same features of labelled photographs.

    python benchmarks/batch/methods.py ../shared/data/mvtec_ad ../shared/data/cookies ../shared/data/magnetic_tile

Every folder has the layout of `musc benchmark folder`. Lots: the test images as published and, where there is
`train/good`, nine tenths of the good photographs with fractions of defective ones, drawn several times. Features are
extracted once and serve all methods and draws. Figures are means over the draws; those of pixels are of the first draw
at half the network's size. *Gain* is the difference of image AUROC from MuSc's on the same images, with its 95 %
interval from resampling good and defective images of every draw. Processor time is that of one lot where nothing is
compared (the O(N) ways); comparing all photographs with each other is done once, and its time is printed above.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from photographs import Photographs, drawn_lots, photographs_of
from scoring import Scored, ways

from benchmarks.inputs import add_json_option, add_lot_options, folder_parser, print_table
from musc import backbones
from musc.maps import anomaly_maps
from musc.metrics import image_metrics, pixel_metrics
from storage.datasets import list_categories

SHARES = (0.05, 0.10, 0.20, 0.40)
IMAGE, PIXEL = ("auroc", "ap", "f1_max"), ("auroc", "ap", "aupro")
TITLES = ("lot", "images", "method", "image AUROC", "gain", "AP", "F1-max", "pixel AUROC", "AP", "AU-PRO", "CPU s")


def bootstrap_gains(
    defective: Sequence[np.ndarray], plain: Sequence[np.ndarray], other: Sequence[np.ndarray], count: int
) -> tuple[float, float]:
    """The 95 % interval of the mean gain in image AUROC over lots, resampling their good and defective images.

    Args:
        defective: bool (n,) of each lot.
        plain: image scores of each lot by the method compared with.
        other: image scores of each lot by the method in question, of the same images.
        count: resamplings.
    """
    rng, gains = np.random.default_rng(0), []
    for _ in range(count):
        of_lots = []
        for truth, before, after in zip(defective, plain, other, strict=True):
            taken = np.concatenate([rng.choice(of, len(of)) for of in map(np.flatnonzero, (~truth, truth))])
            found = [image_metrics(truth[taken], scores[taken])["auroc"] for scores in (before, after)]
            of_lots.append(found[1] - found[0])
        gains.append(np.mean(of_lots))
    low, high = np.quantile(gains, [0.025, 0.975])
    return float(low), float(high)


def pixels_of(found: Photographs, chosen: Sequence[int], scored: Scored) -> dict[str, float]:
    """Pixel metrics of one lot at half the network's size."""
    height, width = (side // 2 for side in found.spec.image_size)
    masks = found.masks[list(chosen)][:, ::2, ::2]
    maps = anomaly_maps(scored[0], found.spec.grid, (height, width)).numpy()
    metrics = pixel_metrics(masks, maps)
    return {f"pixel_{name}": metrics[name] for name in PIXEL}


def rows_of(name: str, found: Photographs, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row per lot and method."""
    started = time.process_time()
    methods = ways(found, options.references)
    print(f"{name}: comparing all images took {time.process_time() - started:.0f} s of processor time", file=sys.stderr)
    for lot, draws in drawn_lots(found, options.shares, options.draws):
        truth, plain = [found.defective[chosen] for chosen in draws], []
        for method, score in methods.items():
            started = time.process_time()
            scored = [score(chosen) for chosen in draws]
            seconds = (time.process_time() - started) / len(draws)
            images = [of_images.double().numpy() for _, of_images in scored]
            plain = plain or images
            figures = [image_metrics(*pair) for pair in zip(truth, images, strict=True)]
            row = {"lot": f"{name}, {lot}", "images": f"{(~truth[0]).sum()} + {truth[0].sum()}", "method": method}
            row |= {f"image_{of}": float(np.mean([one[of] for one in figures])) for of in IMAGE}
            before = [image_metrics(*pair)["auroc"] for pair in zip(truth, plain, strict=True)]
            row["gain"] = row["image_auroc"] - float(np.mean(before))
            row["gain_interval"] = bootstrap_gains(truth, plain, images, options.resamplings)
            yield {**row, **pixels_of(found, draws[0], scored[0]), "cpu_seconds": seconds}


def text_of(row: dict[str, Any]) -> str:
    """A row of a Markdown table."""
    gain = "{:+.3f} ({:+.3f} … {:+.3f})".format(row["gain"], *row["gain_interval"])
    image = [f"{row[f'image_{name}']:.3f}" for name in IMAGE]
    pixel = [f"{row[f'pixel_{name}']:.3f}" for name in PIXEL]
    cells = [row["lot"], row["images"], row["method"], image[0], gain, *image[1:], *pixel, f"{row['cpu_seconds']:.1f}"]
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str]) -> None:
    """The command line: a table that Markdown understands."""
    parser = folder_parser(__doc__)
    add_lot_options(parser, shares=SHARES, draws=3)
    parser.add_argument("--references", type=int, default=16, help="M of the way with a sample of references")
    parser.add_argument("--resamplings", type=int, default=200, help="of the bootstrap")
    add_json_option(parser)
    options = parser.parse_args(arguments)
    backbone = backbones.load(options.backbone, image_size=options.image_size, device="cpu")
    rows = (
        row
        for root in options.roots
        for category in list_categories("folder", root)
        for row in rows_of(category.name, photographs_of(root, category, backbone), options)
    )
    print_table(TITLES, rows, text_of, options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
