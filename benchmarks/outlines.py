"""How well boxes and outlines fit the masks, by `musc.decisions.defect_boxes` and by its pixel threshold alone.

    python -m benchmarks.outlines ../shared/data/mvtec_ad ../shared/data/cookies ../shared/data/woven

Lots of up to 60 photographs are drawn with a tenth of them defective, and in the proportions of `test/`. Measured are
the defective images that are listed: the union of an image's boxes, and its outlined pixels, against its mask.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.decisions.draws import halves
from benchmarks.decisions.pairs import Product, compare
from musc import backbones
from musc.backbones import with_defaults
from musc.decisions.decide_images import decide_images
from musc.decisions.defect_boxes import boxes, defect_mask, pixel_threshold
from musc.maps import maps_of_run
from musc.settings import DEFAULT_BACKBONE, Settings
from storage.datasets import Category, list_categories
from storage.datasets.masks import load_mask_at

Mask = NDArray[np.bool_]

SIZE = 60
HEAD = "| lots | product | listed defects | IoU of boxes | IoU of outlines | boxes / mask | regions |"


class Fit(NamedTuple):
    """How one way to outline fits one image's mask."""

    box_overlap: float
    """Intersection over union of all boxes and the mask."""
    overlap: float
    """The same of the outlined pixels."""
    ratio: float
    """Area of all boxes over that of the mask."""
    regions: int


def fit(anomaly_map: NDArray[np.float32], outlined: Mask, mask: Mask) -> Fit:
    """Compare outlined pixels and their boxes with a mask, all of them (H, W)."""
    found = boxes(anomaly_map, outlined, (mask.shape[0], mask.shape[1]))
    covered = np.zeros_like(mask)
    for box in found:
        covered[box.y : box.y + box.height, box.x : box.x + box.width] = True
    return Fit(overlap(covered, mask), overlap(outlined, mask), float(covered.sum() / mask.sum()), len(found))


def overlap(first: Mask, second: Mask) -> float:
    """Intersection over union."""
    return float((first & second).sum() / (first | second).sum())


def fits(product: Product, masks: Mapping[int, Mask], lot: Sequence[int]) -> Iterator[tuple[Fit, Fit]]:
    """Before and after, of every listed defective photograph of a lot."""
    layers = product.layers(lot)
    finest = [place for place, (grid, _) in enumerate(product.distances) if grid == product.spec.grid]
    whole, fine = (one.mean(dim=0).view(-1, *product.spec.grid).numpy() for one in (layers, layers[finest]))
    raw = np.array([maps_of_run(one[None], product.spec.image_size).max() for one in whole], dtype=np.float64)
    decided = decide_images(raw)
    threshold = pixel_threshold(whole, decided.listed, decided.suspect_threshold)
    for place in np.flatnonzero(decided.listed & product.defective[list(lot)]):
        both = maps_of_run(np.stack([whole[place], fine[place]]), product.spec.image_size)
        mask = masks[lot[place]]
        if mask.any():
            yield fit(both[0], both[0] >= threshold, mask), fit(both[0], defect_mask(*both, threshold), mask)


def lots(product: Product, draws: int) -> Iterator[tuple[str, list[int]]]:
    """Lots of both kinds."""
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        good, bad = halves(product, rng)
        good = good[: round(0.9 * SIZE)]
        yield "a tenth", [*good, *bad[: max(1, round(len(good) / 9))]]
        yield "as published", rng.permutation(product.test_count)[:SIZE].tolist()


def rows(product: Product, masks: Mapping[int, Mask], draws: int) -> Iterator[str]:
    """The lines of the table of one product."""
    found: dict[str, list[tuple[Fit, Fit]]] = {}
    for kind, lot in lots(product, draws):
        found.setdefault(kind, []).extend(fits(product, masks, lot))
    for kind, pairs in found.items():
        if not pairs:
            yield f"| {kind} | {product.name} | 0 | – | – | – | – |"
            continue
        values = np.array(pairs)  # images, before and after, facts
        boxed, pixels = values[..., 0].mean(axis=0), values[..., 1].mean(axis=0)
        ratio, count = np.median(values[..., 2], axis=0), values[..., 3].mean(axis=0)
        facts = ((boxed, 3), (pixels, 3), (ratio, 1), (count, 1))
        cells = [f"{old:.{digits}f} → {new:.{digits}f}" for (old, new), digits in facts]
        yield f"| {kind} | {product.name} | {len(pairs)} | {' | '.join(cells)} |"


def masks_of(root: Path, category: Category, size: tuple[int, int]) -> dict[int, Mask]:
    """The masks of a category's defective images at the network's size, by position."""
    return {
        place: load_mask_at(root, image, size, category.dataset) > 0
        for place, image in enumerate(category.images)
        if image.label
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", type=Path, nargs="+", help="labelled folders, as for `musc benchmark folder`")
    parser.add_argument("--backbone", default=DEFAULT_BACKBONE)
    parser.add_argument("--image-size", type=int, help="side in pixels; the backbone's own unless given")
    parser.add_argument("--draws", type=int, default=10, help="lots of each kind")
    options = parser.parse_args(arguments)
    backbone = backbones.load(options.backbone, image_size=options.image_size, device="cpu")
    degrees = with_defaults(Settings(backbone=options.backbone)).degrees
    print(HEAD, "|---|---|---|---|---|---|---|", sep="\n")
    for root in options.roots:
        for category in list_categories("folder", root):
            product = compare(root, category, backbone, degrees)
            masks = masks_of(root, category, backbone.spec.image_size)
            print(*rows(product, masks, options.draws), sep="\n", flush=True)


if __name__ == "__main__":
    main()
