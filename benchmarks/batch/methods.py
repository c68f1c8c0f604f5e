"""Published batch methods beside MuSc, on the same features of labelled photographs.

    python benchmarks/batch/methods.py ../shared/data/mvtec_ad ../shared/data/cookies ../shared/data/magnetic_tile

Every folder has the layout of `musc benchmark folder`. Lots: the test images as published and, where there is
`train/good`, nine tenths of the good photographs with fractions of defective ones, drawn several times. Features are
extracted once and serve all methods and draws. Figures are means over the draws, those of pixels at half the network's
size. MuSc's own row gives its figures, the others their gains over it, with 95 % intervals from resampling good and
defective images of every draw. Processor time is that of one lot where nothing is compared (the O(N) ways); comparing
all photographs with each other is done once, and its time is printed above.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from comparison import Judged, heading, rows_of, text_of
from photographs import PhotographSet, drawn_lots, photographs_of
from scoring import Way, ways

from benchmarks.inputs import add_lot_options, folder_parser
from musc import backbones
from musc.maps import anomaly_maps
from storage.datasets import list_categories

SHARES = (0.05, 0.10, 0.20, 0.40)


def judged(found: PhotographSet, way: Way, chosen: Sequence[int]) -> Judged:
    """Maps at half the network's size, and image scores."""
    patches, images = way(chosen)
    height, width = (side // 2 for side in found.spec.image_size)
    return anomaly_maps(patches, found.spec.grid, (height, width)), images


def method_rows(name: str, found: PhotographSet, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row per lot and method."""
    started = time.process_time()
    judges = {method: partial(judged, found, way) for method, way in ways(found, options.references).items()}
    print(f"{name}: comparing all images took {time.process_time() - started:.0f} s of processor time", file=sys.stderr)
    for lot, draws in drawn_lots(found, options.shares, options.draws):
        yield from rows_of(f"{name}, {lot}", draws, found.masks[:, ::2, ::2], judges, options.resamplings)


def main(arguments: Sequence[str]) -> None:
    """The command line: a table that Markdown understands."""
    parser = folder_parser(__doc__)
    add_lot_options(parser, shares=SHARES, draws=3)
    parser.add_argument("--references", type=int, default=16, help="M of the way with a sample of references")
    parser.add_argument("--resamplings", type=int, default=200, help="of the bootstrap")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write everything measured to this file as well")
    options = parser.parse_args(arguments)
    backbone = backbones.load(options.backbone, image_size=options.image_size, device="cpu")
    print(heading())
    rows = []
    for root in options.roots:
        for category in list_categories("folder", root):
            found = photographs_of(root, category, backbone, with_spare=bool(options.shares))
            for row in method_rows(category.name, found, options):
                rows.append(row)
                print(text_of(row), flush=True)
    if options.csv:
        pd.DataFrame(rows).to_csv(options.csv, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
