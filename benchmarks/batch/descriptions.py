"""Image sizes, levels, flips and two networks together, beside the default: what MuSc's features are made of.

    python benchmarks/batch/descriptions.py ../shared/data/cookies ../shared/data/magnetic_tile ../shared/data/mvtec_ad

Every folder has the layout of `musc benchmark folder`; its test images are one lot, as published. Lots of generated
parts (30 good, 10 defective) are added with `--parts`. Gains are over the default: all levels at 320 pixels. *Flipped*:
the mirrored photographs are scored as a lot of their own, and both maps are averaged. *With texture*: the mean over the
levels of both networks. Pixel figures are at 160 × 160 pixels.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from comparison import Judged, heading, rows_of, text_of
from PIL import Image, ImageOps

from musc import backbones
from musc.layers import Layer, finest_grid
from musc.maps import anomaly_maps, image_scores, on_grid
from musc.mutual import degree_scores
from musc.settings import DEFAULT_BACKBONE
from storage.datasets import Category, list_categories, load_mask_at
from storage.datasets.synthetic.defects import KINDS
from storage.datasets.synthetic.lot import draw_part
from storage.images.decode import decode

SIZE = 320
"""Pixels of the default."""
MAP_SIZE = (160, 160)
TEXTURE_SIZE = 256
DEGREES = (1, 3)
LEVELS = {
    "stride 8": (3,),
    "strides 8, 16": (3, 4, 5),
    "strides 16, 32": (4, 5, 6, 7),
    "stride 32": (6, 7),
    "last of each stride": (3, 5, 7),
}
GOOD, OF_EACH_KIND = 30, 2
"""Generated parts of a lot."""

Parts = list[tuple[Layer, torch.Tensor]]
"""Patch scores (N, P) of each level, degrees averaged."""


class Lot(NamedTuple):
    """Pictures with their masks, bool (N, *MAP_SIZE)."""

    name: str
    pictures: list[Image.Image]
    masks: np.ndarray


def photographed(root: Path, category: Category) -> Lot:
    """The test images of a category."""
    pictures = [decode((root / image.path).read_bytes()) for image in category.images]
    masks = [load_mask_at(root, image, (SIZE, SIZE), category.dataset)[::2, ::2] for image in category.images]
    return Lot(f"{category.name}, as published", pictures, np.stack(masks).astype(bool))


def generated(part: str) -> Lot:
    """A drawn lot, with every kind of defect."""
    kinds: list[str | None] = [None] * GOOD + [kind for kind in KINDS for _ in range(OF_EACH_KIND)]
    drawn = [draw_part(part, kind, seed=11, number=number, size=SIZE) for number, kind in enumerate(kinds)]
    return Lot(
        f"{part}, generated",
        [Image.fromarray(picture) for picture, _ in drawn],
        np.stack([mask[::2, ::2] for _, mask in drawn]),
    )


def scored(pictures: list[Image.Image], name: str, size: int) -> Parts:
    """Score a lot level by level, on features as the store keeps them."""
    backbone = backbones.load(name, image_size=size, device="cpu")
    tokens = backbone.extract(pictures, 8).patch_tokens
    return [
        (layer, torch.stack(list(degree_scores(of_layer.half(), layer.grid, DEGREES).values())).mean(dim=0))
        for layer, of_layer in zip(backbone.spec.layers, tokens, strict=True)
    ]


def full_maps(parts: Parts, size: int) -> torch.Tensor:
    """The mean over levels as anomaly maps of so many pixels a side."""
    finest = finest_grid([layer for layer, _ in parts])
    mean = torch.stack([on_grid(scores, layer.grid, finest) for layer, scores in parts]).mean(dim=0)
    return anomaly_maps(mean, finest, (size, size))


def judged(maps: torch.Tensor) -> Judged:
    """Maps at the size of the masks, and image scores."""
    return F.interpolate(maps[:, None], MAP_SIZE, mode="bilinear", align_corners=True)[:, 0], image_scores(maps)


def whole(found: Judged, _: Sequence[int]) -> Judged:
    """What was found for the only lot there is."""
    return found


def ways_of(pictures: list[Image.Image], sizes: Sequence[int]) -> Iterator[tuple[str, torch.Tensor]]:
    """Anomaly maps of every way, the default first."""
    plain = scored(pictures, DEFAULT_BACKBONE, SIZE)
    yield f"{SIZE} pixels, all levels", full_maps(plain, SIZE)
    for name, levels in LEVELS.items():
        yield name, full_maps([part for part in plain if part[0].number in levels], SIZE)
    texture = scored(pictures, "texture", TEXTURE_SIZE)
    yield "texture alone", full_maps(texture, SIZE)
    yield "with texture", full_maps(plain + texture, SIZE)
    mirrored = full_maps(scored([ImageOps.mirror(picture) for picture in pictures], DEFAULT_BACKBONE, SIZE), SIZE)
    yield "flipped", (full_maps(plain, SIZE) + mirrored.flip(2)) / 2
    for size in sizes:
        yield f"{size} pixels", full_maps(scored(pictures, DEFAULT_BACKBONE, size), size)


def main(arguments: Sequence[str]) -> None:
    """The command line: a table that Markdown understands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", type=Path, nargs="*", help="labelled folders, as for `musc benchmark folder`")
    parser.add_argument("--parts", nargs="*", default=(), help="lots of generated parts, such as cast")
    parser.add_argument("--sizes", type=int, nargs="*", default=(224, 256, 448), help="pixels beside 320")
    parser.add_argument("--resamplings", type=int, default=200, help="of the bootstrap")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write everything measured to this file as well")
    options = parser.parse_args(arguments)
    print(heading(timed=False))
    rows = []
    lots = [photographed(root, category) for root in options.roots for category in list_categories("folder", root)]
    for lot in [*lots, *map(generated, options.parts)]:
        found = {name: judged(maps) for name, maps in ways_of(lot.pictures, options.sizes)}
        judges = {name: partial(whole, of_lot) for name, of_lot in found.items()}
        for row in rows_of(lot.name, [range(len(lot.masks))], lot.masks, judges, options.resamplings):
            rows.append(row)
            print(text_of(row, timed=False), flush=True)
    if options.csv:
        pd.DataFrame(rows).to_csv(options.csv, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
