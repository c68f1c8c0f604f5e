"""Draw small flaws on good photographs: lots of known truth in the layout of MVTec AD, for `benchmarks/photographs.py`.

    python benchmarks/flaws/small_flaws.py flaws ../shared/data/mvtec_ad ../shared/data/cookies

Published lots hold few small flaws, and larger images cost more than they gain there. These lots show what image size a
small flaw needs: spots and scratches, 2 and 3.5 % of the photograph's shorter side, clearly lighter or darker than what
lies under them, on ten of 44 good photographs each.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from storage.datasets import list_categories
from storage.datasets.folder_contents import images_in
from storage.images.decode import decode

SIZES = (0.02, 0.035)
"""Of a flaw, as fractions of the photograph's shorter side."""
FLAWED, GOOD = 10, 34
CONTRAST = 70
"""Grey values between a flaw and what lies under its centre."""
OPACITY = 0.7
INSIDE = (0.15, 0.85)
"""Where flaws lie, as fractions of both sides."""
SURFACE = (25, 235)
"""Grey values of the part's surface: flaws lie neither on a black nor on a white background."""


def plant(picture: Image.Image, rng: np.random.Generator, kind: str, side: float) -> tuple[Image.Image, Image.Image]:
    """A photograph with a flaw, and its mask.

    Args:
        picture: RGB.
        rng: decides place and course.
        kind: `spot`, or `scratch`, which is three times as long and 0.18 times as wide.
        side: diameter of a spot in pixels.
    """
    grey = np.asarray(picture.convert("L"), dtype=float)
    x, y = place_on(grey, rng)
    mask = Image.new("L", picture.size, 0)
    if kind == "spot":
        tall = side / 2 * rng.uniform(0.6, 1)
        ImageDraw.Draw(mask).ellipse([x - side / 2, y - tall, x + side / 2, y + tall], fill=255)
    else:
        angle = rng.uniform(0, np.pi)
        reach = np.array([np.cos(angle), np.sin(angle)]) * 1.5 * side
        ends = [x - reach[0], y - reach[1], x + reach[0], y + reach[1]]
        ImageDraw.Draw(mask).line(ends, fill=255, width=max(1, round(0.18 * side)))
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(max(0.6, 0.06 * side))), dtype=float)[..., None] / 255
    under = grey[int(y), int(x)]
    flaw = under + CONTRAST if under < 128 else under - CONTRAST
    pixels = np.asarray(picture, dtype=float)
    flawed = pixels + soft * OPACITY * (flaw - pixels)
    return Image.fromarray(flawed.clip(0, 255).astype(np.uint8)), mask.point(lambda value: 255 * (value > 127))


def place_on(grey: np.ndarray, rng: np.random.Generator, tries: int = 200) -> tuple[float, float]:
    """Column and row of a place on the part's surface; anywhere inside where none is found."""
    height, width = grey.shape
    for _ in range(tries):
        x, y = rng.uniform(*INSIDE) * width, rng.uniform(*INSIDE) * height
        if SURFACE[0] < grey[int(y), int(x)] < SURFACE[1]:
            break
    return x, y


def write_lot(folder: Path, paths: Sequence[Path], share: float, seed: int) -> None:
    """Write one lot: `test/good`, `test/<kind>` and `ground_truth/<kind>`."""
    rng = np.random.default_rng([seed, round(1000 * share)])
    chosen = [paths[place] for place in rng.permutation(len(paths))[: FLAWED + GOOD]]
    for number, path in enumerate(chosen):
        picture, name = decode(path.read_bytes()), f"{number:03d}"
        kind = "good" if number >= FLAWED else ("spot", "scratch")[number % 2]
        (folder / "test" / kind).mkdir(parents=True, exist_ok=True)
        if kind != "good":
            picture, mask = plant(picture, rng, kind, share * min(picture.size))
            (folder / "ground_truth" / kind).mkdir(parents=True, exist_ok=True)
            mask.save(folder / "ground_truth" / kind / f"{name}_mask.png")
        picture.save(folder / "test" / kind / f"{name}.png")


def main(arguments: Sequence[str]) -> None:
    """The command line: lots of every category, size and seed, in one folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder of the lots; made when missing")
    parser.add_argument("roots", type=Path, nargs="+", help="labelled folders whose good photographs are taken")
    parser.add_argument("--draws", type=int, default=2, help="lots of each category and size")
    options = parser.parse_args(arguments)
    for root in options.roots:
        for category in list_categories("folder", root):
            good = [root / image.path for image in category.images if not image.label]
            good += images_in(root / category.name / "train" / "good")
            for share in SIZES:
                for seed in range(options.draws):
                    write_lot(options.output / f"{category.name}-{share:g}-{seed}", good, share, seed)


if __name__ == "__main__":
    main(sys.argv[1:])
