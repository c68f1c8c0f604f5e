"""Which tiles of other images tiles of free-lying parts are compared with: figures and cost of each choice.

    python -m benchmarks.tile_references ../shared/data/metal_plate ../shared/data/cookies --tile 256 --layers 4,5,6,7

Good and defective photographs are drawn from each lot and scored as tiles. A row is a choice: tiles of the same
position as references each of its own (`position`), also those of the positions around it (`around`), as many tiles
drawn from all positions as there are images, or four times as many (`sample 1`, `sample 4`), and all (`all`). Where it
says *of an image*, the distance to an image is that to the nearest of its tiles that are looked at, as if it was one
piece, of all images or of eight drawn ones. Cost is that of the comparisons, in multiples of `position`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch

from benchmarks.flaws.smallest_flaw import aggregated, cropped, mean_of, numbers_of, one_of
from benchmarks.inputs import add_json_option, folder_parser, print_table, table_row
from musc import backbones
from musc.backbones import with_defaults
from musc.metrics import image_metrics, pixel_metrics
from musc.mutual import interval_mean
from musc.plan.lot_as_tiles import OVERLAP_PART
from musc.settings import Settings
from musc.tiles import stitch, stitched_grid, tile_image
from storage.datasets import list_categories, load_mask_at
from storage.images.decode import decode

TITLES = ("lot", "draw", "references", "image AUROC", "pixel AP", "cost")
SAMPLED = 8
"""Images of a sample, all of whose tiles are looked at."""


def nearest(tokens: torch.Tensor, number: int, own: int) -> torch.Tensor:
    """Largest similarity of one image's patches to every tile: float32 (N, T, T · P), references first.

    Args:
        tokens: (N, T, P, C).
        number: of the image.
        own: unused tiles are those of this image.
    """
    queries = tokens[number].flatten(0, 1)
    found = torch.stack([(queries @ tile.T).amax(dim=1) for tile in tokens.flatten(0, 1)])
    found = found.view(*tokens.shape[:2], -1)
    found[own] = -torch.inf
    return found


def choices(images: int, layout: tuple[int, int], rng: np.random.Generator) -> dict[str, tuple[Any, bool, float]]:
    """Of each choice which tiles a tile looks at, bool (T, N, T), whether an image is one piece, and its cost."""
    rows, columns = layout
    count = rows * columns
    row, column = np.divmod(np.arange(count), columns)
    same = np.eye(count, dtype=bool)
    around = (abs(row[:, None] - row) <= 1) & (abs(column[:, None] - column) <= 1)
    every = np.ones((count, count), dtype=bool)

    def of_all(mask: np.ndarray) -> np.ndarray:
        return np.repeat(mask[:, None], images, axis=1)

    def drawn(many: int) -> np.ndarray:
        chosen = np.zeros(images * count, dtype=bool)
        chosen[rng.permutation(images * count)[:many]] = True
        return np.repeat(chosen.reshape(1, images, count), count, axis=0)

    few = np.zeros(images, dtype=bool)
    few[rng.permutation(images)[:SAMPLED]] = True
    sampled = of_all(every) & few[None, :, None]
    cost = {name: float(mask.sum() / count) for name, mask in (("around", around), ("all", every))}
    return {
        "position": (of_all(same), False, 1.0),
        "around": (of_all(around), False, cost["around"]),
        "around, of an image": (of_all(around), True, cost["around"]),
        "sample 1": (drawn(images), False, 1.0),
        "sample 4": (drawn(4 * images), False, 4.0),
        f"all of {SAMPLED}, of an image": (sampled, True, SAMPLED * count / images),
        "all": (of_all(every), False, cost["all"]),
        "all, of an image": (of_all(every), True, cost["all"]),
    }


def scores_of(similar: torch.Tensor, looked_at: np.ndarray, whole: bool) -> torch.Tensor:
    """Patch scores of one image, (T, P), from the similarities to every tile (N, T, T, P)."""
    parts = []
    for tile, mask in enumerate(looked_at):
        seen = similar[:, :, tile].masked_fill(~torch.from_numpy(mask)[..., None], -torch.inf)
        seen = seen.amax(dim=1) if whole else seen.flatten(0, 1)
        used = seen[torch.isfinite(seen[:, 0])]
        parts.append(interval_mean(torch.cat([used, torch.full_like(used[:1], -torch.inf)]), Settings().interval))
    return torch.stack(parts)


def rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row per lot, draw and choice."""
    backbone = backbones.load(
        options.backbone, image_size=options.size or options.tile, layers=options.layers, device="cpu"
    )
    degrees = with_defaults(Settings(backbone=options.backbone)).degrees
    for root, draw in product(options.roots, range(options.draws)):
        for category in list_categories("folder", root):
            rng = np.random.default_rng(draw)
            good = [image for image in category.images if not image.label]
            defective = [image for image in category.images if image.label]
            chosen = [good[place] for place in rng.permutation(len(good))[: options.good]]
            chosen += [defective[place] for place in rng.permutation(len(defective))[: options.defective]]
            pictures = [decode((root / image.path).read_bytes()) for image in chosen]
            width, height = pictures[0].size
            tiles = tile_image(width, height, options.tile, options.tile // OVERLAP_PART)
            columns = len({tile.x for tile in tiles})
            crops = [cropped(picture, tile) for picture in pictures for tile in tiles]
            tokens = {
                key: value.view(len(pictures), len(tiles), *value.shape[1:])
                for key, value in aggregated(backbone, crops, degrees).items()
            }
            ways = choices(len(pictures), (len(tiles) // columns, columns), rng)
            scores: dict[str, list[Any]] = {name: [] for name in ways}
            for number in range(len(pictures)):
                similar = {key: nearest(value, number, number) for key, value in tokens.items()}
                for name, (looked_at, whole, _) in ways.items():
                    parts = {
                        key: scores_of(value.view(*value.shape[:2], len(tiles), -1), looked_at, whole)
                        for key, value in similar.items()
                    }
                    maps = [mean_of(backbone, one_of(parts, tile)) for tile in range(len(tiles))]
                    grid = stitched_grid(width, height, options.tile, maps[0].shape)
                    scores[name].append(stitch(np.stack(maps), tiles, (height, width), grid))
            labels = [image.label for image in chosen]
            for name, maps in scores.items():
                stacked = np.stack(maps)
                masks = np.stack([load_mask_at(root, image, stacked.shape[1:], category.dataset) for image in chosen])
                yield {
                    "lot": category.name,
                    "draw": draw,
                    "references": name,
                    "auroc": image_metrics(labels, stacked.max(axis=(1, 2)))["auroc"],
                    "ap": pixel_metrics(masks, stacked)["ap"],
                    "cost": ways[name][2],
                }


def text_of(row: dict[str, Any]) -> str:
    """A row of a Markdown table."""
    figures = [format(row["auroc"], ".3f"), format(row["ap"], ".3f"), format(row["cost"], ".1f")]
    return table_row([row["lot"], str(row["draw"]), row["references"], *figures])


def main(arguments: Sequence[str]) -> None:
    """The command line: a table that Markdown understands."""
    parser = folder_parser(__doc__)
    parser.add_argument("--tile", type=int, default=256, help="side in pixels")
    parser.add_argument("--size", type=int, help="image size of a tile; its side unless given")
    parser.add_argument("--layers", type=numbers_of, help="its own unless given")
    parser.add_argument("--good", type=int, default=24)
    parser.add_argument("--defective", type=int, default=12)
    parser.add_argument("--draws", type=int, default=1)
    add_json_option(parser)
    options = parser.parse_args(arguments)
    print_table(TITLES, rows(options), text_of, options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
