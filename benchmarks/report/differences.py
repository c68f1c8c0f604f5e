"""How often the report names a drawn change of known kind first: changes are drawn on windows of good photographs.

    python benchmarks/report/differences.py ../shared/data/mvtec_ad ../shared/data/cookies ../shared/data/magnetic_tile

A window has a sixteenth of the photograph's shorter side, at least 24 pixels. It is compared with the most similar
window of each of eight other good photographs, as the report compares the worst place with the nearest good ones. Every
change is drawn until it can be seen: the rule is `seen`.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from reports.page.place_differences import GOOD_PLACES, MIN_SIDE, Difference, differences
from storage.datasets import list_categories
from storage.datasets.folder_contents import images_in
from storage.images.decode import decode

KINDS = ("darker", "lighter", "another colour", "rougher", "more edges", "something there", "smoother", "nothing")
PHOTOGRAPHS = 12
"""Good photographs of a product."""
THUMBNAIL = 6
"""Windows are matched at so many pixels a side."""
TRIES = 50
"""A kind is left out where so many windows show no change that can be seen."""
LEVELS = {"darker": 20, "lighter": 20, "another colour": 20, "rougher": 4, "smoother": 4}
"""Grey levels by which at least half of the pixels must have changed for it to be seen."""
LINES, CONTRAST = (0.08, 0.25), 40
"""Lines cover a share of the pixels between these, by at least so many grey levels."""


def changed(pixels: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """A window with a change drawn on it: uint8 (height, width, 3)."""
    height, width, _ = pixels.shape
    if kind == "smoother":
        return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(3)))
    if kind == "something there":
        return with_thing(pixels, rng)
    if kind == "more edges":
        picture = Image.fromarray(pixels)
        for _ in range(rng.integers(1, 5)):
            ends = [tuple(rng.integers(0, [width, height]).tolist()) for _ in range(2)]
            ImageDraw.Draw(picture).line(ends, fill=(255 * int(pixels.mean() < 128),) * 3, width=max(2, height // 24))
        return np.asarray(picture)
    drawn = {
        "darker": lambda: -rng.uniform(25, 50),
        "lighter": lambda: rng.uniform(25, 50),
        "another colour": lambda: np.array([1, -0.5, -0.5]) * rng.uniform(25, 45),
        "rougher": lambda: rng.normal(0, rng.uniform(8, 14), (height, width, 1)),
        "nothing": lambda: 0,
    }
    return (pixels + drawn[kind]()).round().clip(0, 255).astype(np.uint8)


def with_thing(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A window with a spot of one colour, its border a pixel soft: uint8 (height, width, 3)."""
    height, width, _ = pixels.shape
    mask = Image.new("L", (width, height))
    radii = rng.uniform(0.16, 0.32, 2) * min(height, width)
    middle = rng.uniform(0.3, 0.7, 2) * (width, height)
    ImageDraw.Draw(mask).ellipse([*(middle - radii), *(middle + radii)], fill=255)
    share = np.asarray(mask.filter(ImageFilter.GaussianBlur(1)), dtype=float)[..., None] / 255
    colour = rng.uniform(0, 255, 3) + rng.normal(0, 3, (height, width, 1))
    return (pixels * (1 - share) + colour * share).round().clip(0, 255).astype(np.uint8)


def seen(before: np.ndarray, after: np.ndarray, kind: str) -> bool:
    """Whether a drawn change can be seen: enough pixels changed by enough, and lines do not fill the window."""
    if kind == "nothing":
        return True
    levels = np.abs(after.astype(int) - before).max(axis=2)
    if kind in ("more edges", "something there"):
        return bool(LINES[0] <= (levels >= CONTRAST).mean() <= LINES[1])
    return bool(np.median(levels) >= LEVELS[kind])


def windows_of(photograph: np.ndarray, side: int) -> tuple[list[np.ndarray], np.ndarray]:
    """All windows at half steps, and their thumbnails (windows, values)."""
    height, width, _ = photograph.shape
    step = max(1, side // 2)
    windows = [
        photograph[top : top + side, left : left + side]
        for top in range(0, height - side + 1, step)
        for left in range(0, width - side + 1, step)
    ]
    return windows, np.stack([thumbnail(window) for window in windows])


def thumbnail(window: np.ndarray) -> np.ndarray:
    """A window's pixels, few of them, flat."""
    small = Image.fromarray(window).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32).ravel()


def draws(
    paths: Sequence[Path], count: int, seed: int
) -> Iterator[tuple[str, np.ndarray, np.ndarray, list[np.ndarray]]]:
    """Kind, window before, window after, and good windows like it, in turn."""
    rng = np.random.default_rng(seed)
    chosen = [paths[place] for place in np.random.default_rng(0).permutation(len(paths))[:PHOTOGRAPHS]]
    photographs = [np.asarray(decode(path.read_bytes()).convert("RGB")) for path in chosen]
    side = max(MIN_SIDE, min(photographs[0].shape[:2]) // 16)
    windows = [windows_of(photograph, side) for photograph in photographs]
    for kind in KINDS:
        for _ in range(count):
            for _try in range(TRIES):
                first, *others = rng.permutation(len(photographs))[: GOOD_PLACES + 1]
                top, left = rng.integers(0, np.array(photographs[first].shape[:2]) - side + 1)
                window = photographs[first][top : top + side, left : left + side]
                after = changed(window, kind, rng)
                if seen(window, after, kind):
                    nearest = [int(np.abs(windows[k][1] - thumbnail(window)).sum(axis=1).argmin()) for k in others]
                    good = [windows[k][0][at] for k, at in zip(others, nearest, strict=True)]
                    yield kind, window, after, good
                    break


def first_named(worst: np.ndarray, good: Sequence[np.ndarray]) -> str:
    """The kind that the report would name first."""
    found = differences(worst, good)
    return word_of(found[0]) if found else "nothing"


def word_of(difference: Difference) -> str:
    """The kind that a difference names."""
    words = {
        "brightness": ("darker", "lighter"),
        "roughness": ("", "rougher"),
        "colour": ("", "another colour"),
        "presence": ("", "something there"),
        "detail": ("smoother", ""),
        "edges": ("", "more edges"),
    }
    return words[difference.quantity][difference.amount > 0]


def main(arguments: Sequence[str]) -> None:
    """The command line: a table of kinds and products, each with how many were named rightly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", type=Path, nargs="+", help="labelled folders whose good photographs are taken")
    parser.add_argument("--draws", type=int, default=20, help="windows of each kind and product")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    options = parser.parse_args(arguments)
    named: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for root in options.roots:
        for category in list_categories("folder", root):
            good = [root / image.path for image in category.images if not image.label]
            good += images_in(root / category.name / "train" / "good")
            product: Counter[tuple[str, bool]] = Counter()
            for kind, _before, after, places in draws(good, options.draws, options.seed):
                name = first_named(after, places)
                named[kind][name] += 1
                product[kind, name == kind] += 1
            rows = (f"{kind} {product[kind, True]}/{product[kind, True] + product[kind, False]}" for kind in KINDS)
            print(f"{category.name}: {', '.join(rows)}", flush=True)
    for kind, names in named.items():
        others = ", ".join(f"{name} {count}" for name, count in names.most_common() if name != kind)
        print(f"| {kind} | {names[kind]} of {names.total()} | {others} |")


if __name__ == "__main__":
    main(sys.argv[1:])
