"""How small a flaw may be and still be found, by image size and as tiles: what `--smallest-flaw` goes by.

    python -m benchmarks.flaws.smallest_flaw ../shared/data/mvtec_ad ../shared/data/woven ../shared/data/cookies \\
        ../shared/data/metal_plate ../shared/data/magnetic_tile --seen 320 chosen
    python -m benchmarks.flaws.smallest_flaw ../shared/data/mvtec_ad --seen 640 320/128 --flaws 8

Spots of known diameter are drawn on good photographs, one on each (`benchmarks/flaws/small_flaws.py`), and each such
photograph is scored against the others as they are. A row is a lot, how its photographs are seen (at an image size, as
tiles, or as the option chooses), and a diameter: image AUROC of photographs with a spot over those without, with an
interval that holds it in 9 of 10 resamples, how many spots score above all but 5 % of the good photographs, and in how
many the highest place of the map is the spot's. Patches around a spot alone are scored anew: others hardly differ.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from benchmarks.flaws.small_flaws import plant
from benchmarks.inputs import add_json_option, folder_parser, print_table, table_row
from musc import backbones
from musc.backbones import Backbone, with_defaults
from musc.layers import Layer, finest_grid
from musc.lnamd import aggregate
from musc.maps import on_grid
from musc.metrics import image_metrics
from musc.mutual import interval_mean, mutual_scores
from musc.plan.lot_as_tiles import OVERLAP_PART
from musc.settings import Settings
from musc.tiles import Tile, stitch, stitched_grid, tile_image
from planning.sizes.smallest_flaw import size_for_flaw
from storage.datasets import Category, list_categories
from storage.datasets.folder_contents import images_in
from storage.images.decode import decode

TITLES = ("lot", "photograph", "flaw", "seen", "patches", "AUROC", "from", "to", "found", "highest place")
AROUND = 64
"""Pixels of the network around a spot whose patches are scored anew."""
AT_THE_SPOT = 0.03
"""Part of the photograph's shorter side by which the highest place may miss a spot."""

ByLayer = Mapping[tuple[int, int], torch.Tensor]
"""Of each layer number and degree."""
Box = tuple[int, int, int, int]


class View(NamedTuple):
    """How photographs are seen."""

    size: int
    """Image size in pixels."""
    tile: int | None
    """Side of tiles in pixels of the photograph; None is whole."""

    @property
    def text(self) -> str:
        """As the table has it."""
        return f"tiles of {self.tile} at {self.size}" if self.tile else str(self.size)


class Part(NamedTuple):
    """One part of every photograph: the whole, or a tile."""

    tiles: list[Tile]
    tokens: ByLayer
    """After LNAMD, float32 (N, P, C)."""
    scores: ByLayer
    """Patch scores (N, P) of the photographs as they are."""


class Lot:
    """The good photographs of one category as one view shows them."""

    def __init__(self, pictures: Sequence[Image.Image], backbone: Backbone, view: View) -> None:
        self.pictures, self.backbone, self.tile = pictures, backbone, view.tile
        self.degrees = with_defaults(Settings(backbone=backbone.spec.name)).degrees
        tiles = [tiles_of(picture, view.tile) for picture in pictures]
        self.parts = []
        for position in range(len(tiles[0])):
            own = [of_picture[position] for of_picture in tiles]
            crops = [cropped(picture, tile) for picture, tile in zip(pictures, own, strict=True)]
            tokens = aggregated(backbone, crops, self.degrees)
            self.parts.append(Part(own, tokens, {key: mutual_scores(value) for key, value in tokens.items()}))
        self.good = [self.peak(number, [one_of(part.scores, number) for part in self.parts]) for number in self.numbers]

    @property
    def numbers(self) -> range:
        """Of the photographs."""
        return range(len(self.pictures))

    def peak(self, number: int, scores: Sequence[ByLayer]) -> tuple[float, float, float]:
        """Score of a photograph, and its place (x, y) in pixels, from the patch scores of all its parts."""
        maps = [mean_of(self.backbone, of_part) for of_part in scores]
        (width, height), whole = self.pictures[number].size, maps[0]
        if self.tile:
            tiles = [part.tiles[number] for part in self.parts]
            grid = stitched_grid(width, height, self.tile, (maps[0].shape[0], maps[0].shape[1]))
            whole = stitch(np.stack(maps), tiles, (height, width), grid)
        row, column = np.unravel_index(whole.argmax(), whole.shape)
        across, down = column / (whole.shape[1] - 1) * width, row / (whole.shape[0] - 1) * height
        return float(whole.max()), float(across), float(down)

    def with_flaw(self, number: int, kind: str, side: int) -> tuple[float, bool]:
        """Score of a photograph with a flaw, and whether its place is the flaw's."""
        picture = self.pictures[number]
        flawed, mask = plant(picture, np.random.default_rng([number, side]), kind, side)
        box = mask.getbbox() or (0, 0, 1, 1)
        scored = [
            self.scored_anew(part, number, flawed, box)
            if overlap(part.tiles[number], box)
            else one_of(part.scores, number)
            for part in self.parts
        ]
        score, *place = self.peak(number, scored)
        reach = side / 2 + AT_THE_SPOT * min(picture.size)
        return score, all(abs(place[axis] - (box[axis] + box[axis + 2]) / 2) <= reach for axis in (0, 1))

    def scored_anew(self, part: Part, number: int, flawed: Image.Image, box: Box) -> ByLayer:
        """Patch scores of one part of a photograph with a flaw; those far from it stay."""
        tokens = aggregated(self.backbone, [cropped(flawed, part.tiles[number])], self.degrees)
        scores = {}
        for layer, degree in product(self.backbone.spec.layers, self.degrees):
            key = layer.number, degree
            near = patches_near(layer, part.tiles[number], box, self.backbone.spec.image_size)
            queries = tokens[key][0][near]
            similar = [(queries @ part.tokens[key][other].T).amax(dim=1) for other in self.numbers if other != number]
            left_out = torch.full_like(similar[0], -torch.inf)
            scores[key] = part.scores[key][number].clone()
            scores[key][near] = interval_mean(torch.stack([*similar, left_out]), Settings().interval)
        return scores


def tiles_of(picture: Image.Image, tile: int | None) -> list[Tile]:
    """The parts of a photograph."""
    return tile_image(*picture.size, tile, tile // OVERLAP_PART) if tile else [Tile(0, 0, *picture.size)]


def aggregated(
    backbone: Backbone, pictures: Sequence[Image.Image], degrees: Sequence[int]
) -> dict[tuple[int, int], Any]:
    """Patch tokens after LNAMD, rounded as the store keeps them, by layer number and degree."""
    features = backbone.extract(pictures, 8)
    return {
        (layer.number, degree): aggregate(tokens.half().float(), layer.grid, degree)
        for layer, tokens in zip(backbone.spec.layers, features.patch_tokens, strict=True)
        for degree in degrees
    }


def cropped(picture: Image.Image, tile: Tile) -> Image.Image:
    """A part of a picture."""
    return picture.crop((tile.x, tile.y, tile.x + tile.width, tile.y + tile.height))


def one_of(scores: ByLayer, number: int) -> dict[tuple[int, int], torch.Tensor]:
    """Patch scores of one photograph."""
    return {key: value[number] for key, value in scores.items()}


def overlap(tile: Tile, box: Box) -> bool:
    """Whether a tile holds a part of a box."""
    across = box[2] > tile.x and box[0] < tile.x + tile.width
    return across and box[3] > tile.y and box[1] < tile.y + tile.height


def patches_near(layer: Layer, tile: Tile, box: Box, size: tuple[int, int]) -> torch.Tensor:
    """Which patches of a layer lie around a box: bool (P,)."""

    def along(count: int, first: int, last: int, start: int, length: int, side: int) -> torch.Tensor:
        centres = (torch.arange(count) + 0.5) * side / count
        low, high = ((pixel - start) * side / length for pixel in (first, last))
        return (centres > low - AROUND) & (centres < high + AROUND)

    rows = along(layer.grid[0], box[1], box[3], tile.y, tile.height, size[0])
    columns = along(layer.grid[1], box[0], box[2], tile.x, tile.width, size[1])
    return (rows[:, None] & columns[None]).flatten()


def mean_of(backbone: Backbone, scores: ByLayer) -> np.ndarray:
    """Patch scores of one part, averaged over layers and degrees: (rows, columns)."""
    grid = finest_grid(backbone.spec.layers)
    grids = {layer.number: layer.grid for layer in backbone.spec.layers}
    of_each = [on_grid(value[None], grids[number], grid) for (number, _), value in scores.items()]
    return torch.stack(of_each).mean(dim=0).view(*grid).numpy()


def interval_of(good: np.ndarray, flawed: np.ndarray) -> tuple[float, float, float]:
    """AUROC, and 5 % and 95 % of it where photographs are drawn again."""

    def auroc(of: np.ndarray) -> float:
        labels = np.repeat([0, 1], len(of))
        return image_metrics(labels, np.concatenate([good[of], flawed[of]]))["auroc"]

    rng, count = np.random.default_rng(0), len(good)
    low, high = np.quantile([auroc(rng.integers(0, count, count)) for _ in range(300)], (0.05, 0.95))
    return auroc(np.arange(count)), float(low), float(high)


def views(options: argparse.Namespace, pictures: Sequence[Image.Image]) -> dict[View, list[int]]:
    """The diameters that are drawn in each view."""
    usual = backbones.resolve(options.backbone, device="cpu")
    (width, height), _ = Counter(picture.size for picture in pictures).most_common(1)[0]
    found: dict[View, list[int]] = defaultdict(list)
    for seen, flaw in product(options.seen, options.flaws):
        view = seen
        if view is None:
            chosen = size_for_flaw(flaw, (height, width), usual)
            view = View((chosen.image_size or usual.image_size)[0], chosen.tile)
        if flaw not in found[view] and (not view.tile or view.tile < min(min(picture.size) for picture in pictures)):
            found[view].append(flaw)
    return {view: flaws for view, flaws in found.items() if flaws}


def categories(roots: Sequence[Path]) -> Iterator[tuple[Path, Category]]:
    """Every category of labelled folders."""
    for root in roots:
        for category in list_categories("folder", root):
            yield root, category


def rows(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row per lot, view and diameter."""
    for root, category in categories(options.roots):
        paths = [root / image.path for image in category.images if not image.label]
        paths += images_in(root / category.name / "train" / "good")
        drawn = np.random.default_rng(0).permutation(len(paths))[: options.images]
        pictures = [decode(paths[place].read_bytes()) for place in drawn]
        longer = float(np.median([max(picture.size) for picture in pictures]))
        for view, flaws in views(options, pictures).items():
            lot = Lot(pictures, backbones.load(options.backbone, image_size=view.size, device="cpu"), view)
            good = np.array([score for score, _, _ in lot.good])
            patch = view.size / finest_grid(lot.backbone.spec.layers)[0]
            for flaw in flaws:
                found = [lot.with_flaw(number, options.kind, flaw) for number in lot.numbers]
                scores = np.array([score for score, _ in found])
                auroc, low, high = interval_of(good, scores)
                yield {
                    **{"lot": category.name, "photograph": longer, "flaw": flaw, "seen": view.text},
                    **{"patches": flaw * view.size / (view.tile or longer) / patch},
                    **{"auroc": auroc, "low": low, "high": high},
                    "found": float((scores > np.quantile(good, 0.95)).mean()),
                    "highest": float(np.mean([hit for _, hit in found])),
                }


def text_of(row: dict[str, Any]) -> str:
    """A row of a Markdown table."""
    figures = [f"{row[name]:.2f}" for name in ("auroc", "low", "high", "found", "highest")]
    about = [row["lot"], f"{row['photograph']:.0f}", str(row["flaw"]), row["seen"], f"{row['patches']:.1f}"]
    return table_row([*about, *figures])


def seen_as(text: str) -> View | None:
    """An image size, `640`; with the side of tiles, `320/128`; or None for `chosen`."""
    size, _, tile = text.partition("/")
    return None if text == "chosen" else View(int(size), int(tile) if tile else None)


def numbers_of(text: str) -> tuple[int, ...]:
    """Numbers separated by commas."""
    return tuple(map(int, text.split(",")))


def main(arguments: Sequence[str]) -> None:
    """The command line: a table that Markdown understands."""
    parser = folder_parser(__doc__)
    parser.add_argument("--seen", type=seen_as, nargs="+", default=[None], metavar="SIZE[/TILE]", help="or `chosen`")
    parser.add_argument("--flaws", type=int, nargs="+", default=[8, 16, 32, 64], help="diameters in pixels")
    parser.add_argument("--kind", choices=["spot", "scratch"], default="spot")
    parser.add_argument("--images", type=int, default=20, help="good photographs of each lot")
    add_json_option(parser)
    options = parser.parse_args(arguments)
    print_table(TITLES, rows(options), text_of, options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
