"""Lots drawn from real photographs as a factory has them, scored and kept as one file of scores for each product.

    python -m benchmarks.decisions.draws drawn ../shared/data/mvtec_ad ../shared/data/cookies
    python -m benchmarks.decisions.tables drawn

Kinds of lots, 20 draws each (`--draws`):

- `factory`: the good parts among 60 photographs of `test/`, drawn in proportion, and a tenth as many defective ones;
  `clean`: the same without those.
- `mixed run`: the same parts with the scores they have in a run of all 60, of which half and more are defective;
  `mixed run, clean`: its good parts. Harder, since defects found matches among the others.
- `all good`: all good photographs, `train/good` too, and a tenth defective; `all good, clean`: nine tenths of the good.
- `N=…, …%`: so many images with such a share of defective ones.
- `known …`: a lot with so many further known good parts, scored together with it; their scores come last.
- `night` 1 to 3 of 40 images, 5 % defective, and `tonight`, 10 % defective.
- `whole`: the whole of `test/`, once.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.pairs import Product, compare
from musc import backbones
from musc.backbones import with_defaults
from musc.settings import DEFAULT_BACKBONE, Settings
from storage.datasets import list_categories

FloatArray = NDArray[np.float64]
Places = NDArray[np.int64]

RUN, SHARE = 60, 0.1
SIZES, SHARES = (10, 20, 40, 80), (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)
KNOWN, LOT = (10, 20, 30), 40
NIGHTS, NIGHT, NIGHT_SHARE = 3, 40, 0.05


class Lot(NamedTuple):
    """A drawn lot."""

    scores: FloatArray
    """(n,), raw."""
    defective: NDArray[np.bool_]
    """(n,)."""


def draw_all(product: Product, draws: int) -> Iterator[tuple[str, Lot]]:
    """The lots of every kind that the product has photographs for."""
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        for kind, chosen in (*runs_of(product, rng), *sized(product, rng), *nights(product, rng)):
            yield kind, Lot(product.scores(chosen), product.defective[chosen])
        yield from mixed_runs(product, rng)
        yield from with_known(product, rng)
    test = np.arange(product.test_count)
    yield "whole", Lot(product.scores(test), product.defective[test])


def halves(product: Product, rng: np.random.Generator, *, test: bool = False) -> tuple[Places, Places]:
    """The positions of the good and of the defective photographs in a drawn order."""
    places = np.arange(product.test_count if test else len(product.defective))
    defective = product.defective[places]
    return rng.permutation(places[~defective]), rng.permutation(places[defective])


def tenth(count: int) -> int:
    """Defective parts beside so many good ones."""
    return max(1, round(SHARE * count))


def runs_of(product: Product, rng: np.random.Generator) -> Iterator[tuple[str, Places]]:
    """Lots of the good parts of a run of 60, and of all good parts."""
    good, bad = halves(product, rng, test=True)
    drawn = good[: round(min(RUN, product.test_count) * len(good) / product.test_count)]
    yield "factory", np.r_[drawn, bad[: tenth(len(drawn))]]
    yield "clean", drawn
    if product.test_count < len(product.defective):
        good, bad = halves(product, rng)
        yield "all good", np.r_[good, bad[: tenth(len(good))]]
        yield "all good, clean", good[: round(0.9 * len(good))]


def sized(product: Product, rng: np.random.Generator) -> Iterator[tuple[str, Places]]:
    """Lots of every size and share of defective parts."""
    for size in SIZES:
        for share in SHARES:
            good, bad = halves(product, rng)
            count = round(share * size)
            if count <= len(bad) and size - count <= len(good):
                yield f"N={size}, {share:.0%}", np.r_[good[: size - count], bad[:count]]


def nights(product: Product, rng: np.random.Generator) -> Iterator[tuple[str, Places]]:
    """Three nights and tonight, each drawn by itself."""
    for name, share in (*((f"night {number}", NIGHT_SHARE) for number in range(1, NIGHTS + 1)), ("tonight", SHARE)):
        good, bad = halves(product, rng)
        count = round(min(NIGHT, len(good) + 2) * share)
        yield name, np.r_[good[: NIGHT - count], bad[:count]]


def mixed_runs(product: Product, rng: np.random.Generator) -> Iterator[tuple[str, Lot]]:
    """The good parts and a tenth defective ones of one run of 60, with the scores they have in it."""
    run = rng.permutation(product.test_count)[:RUN]
    scores, defective = product.scores(run), product.defective[run]
    good, bad = np.flatnonzero(~defective), np.flatnonzero(defective)
    chosen = np.r_[good, bad[: tenth(len(good))]]
    yield "mixed run", Lot(scores[chosen], defective[chosen])
    yield "mixed run, clean", Lot(scores[good], defective[good])


def with_known(product: Product, rng: np.random.Generator) -> Iterator[tuple[str, Lot]]:
    """Lots with known good parts, which are scored with it."""
    for count in KNOWN:
        good, bad = halves(product, rng)
        if len(good) < count + 6:
            continue
        lot = good[count : count + LOT]
        chosen = np.r_[lot, bad[: tenth(len(lot))], good[:count]]
        yield f"known {count}", Lot(product.scores(chosen), product.defective[chosen])


def save(path: Path, lots: Iterator[tuple[str, Lot]]) -> None:
    """Write lots as arrays named by kind and number."""
    numbers: dict[str, int] = {}
    arrays = {}
    for kind, lot in lots:
        number = numbers[kind] = numbers.get(kind, -1) + 1
        arrays[f"{kind}/{number}/scores"] = lot.scores
        arrays[f"{kind}/{number}/defective"] = lot.defective
    np.savez(path, **arrays)


def load(path: Path) -> dict[str, list[Lot]]:
    """The lots of a product by kind, as `save` wrote them."""
    lots: dict[str, list[Lot]] = {}
    with np.load(path) as arrays:
        for name in arrays.files:
            kind, number, part = name.rsplit("/", 2)
            if part == "scores":
                lots.setdefault(kind, []).append(Lot(arrays[name], arrays[f"{kind}/{number}/defective"]))
    return lots


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: one file of scores for each product."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path, help="folder for the scores")
    parser.add_argument("roots", type=Path, nargs="+", help="labelled folders, as for `musc benchmark folder`")
    parser.add_argument("--backbone", default=DEFAULT_BACKBONE)
    parser.add_argument("--image-size", type=int, help="side in pixels; the backbone's own unless given")
    parser.add_argument("--draws", type=int, default=20, help="lots of each kind")
    options = parser.parse_args(arguments)
    backbone = backbones.load(options.backbone, image_size=options.image_size, device="cpu")
    degrees = with_defaults(Settings(backbone=options.backbone)).degrees
    options.drawn.mkdir(parents=True, exist_ok=True)
    for root in options.roots:
        for category in list_categories("folder", root):
            product = compare(root, category, backbone, degrees)
            save(options.drawn / f"{product.name}.npz", draw_all(product, options.draws))
            print(f"{product.name}: {len(product.defective)} photographs", flush=True)


if __name__ == "__main__":
    main()
