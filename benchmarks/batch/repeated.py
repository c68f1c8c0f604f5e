"""Groups of photographs that share a flaw: one real defect pasted onto many good photographs.

    python benchmarks/batch/repeated.py ../shared/data/mvtec_ad

For every kind of defect some photographs are drawn. What lies under its mask, widened by 6 pixels and with a soft edge,
is copied to the same place of other good photographs, each time shifted by up to 9 pixels along both sides and 7 %
lighter or darker. A lot holds such copies, four other defective photographs, and good ones. The lot without repetition
has as many defective photographs, all different.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from photographs import PhotographSet, photographs_of
from PIL import Image
from scipy import ndimage

from benchmarks.inputs import folder_parser
from musc import backbones
from musc.backbones import with_defaults
from musc.decisions.groups import Groups, block_similarities, find_groups, shared_patches
from musc.layers import Grid, middle_degree, middle_layer
from musc.lnamd import aggregate
from musc.maps import anomaly_maps, any_patch, image_scores, on_grid
from musc.metrics import image_metrics
from musc.mutual import block_scores
from musc.settings import ChosenSettings, Settings
from storage.datasets import Category, list_categories, load_mask_at
from storage.datasets.folder_contents import images_in
from storage.images.decode import decode

SHIFT, LIGHTER, WIDER, SOFT = 9, 0.07, 6, 4.0
VARIED = 4
"""Other defective photographs of a lot."""
COPIES = 24


def paste(good: Image.Image, flawed: Image.Image, mask: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """A good photograph with the flaw of another of the same size; mask bool (H, W)."""
    shift, gain = rng.integers(-SHIFT, SHIFT + 1, 2), 1 + rng.uniform(-LIGHTER, LIGHTER)
    opacity = ndimage.gaussian_filter(ndimage.binary_dilation(mask, iterations=WIDER).astype(float), SOFT)
    opacity = np.roll(opacity, shift, (0, 1))[..., None]
    flaw = np.roll(np.asarray(flawed, dtype=float), shift, (0, 1)) * gain
    pixels = np.asarray(good, dtype=float) * (1 - opacity) + flaw * opacity
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def middle_similarities(
    tokens: Sequence[torch.Tensor], found: PhotographSet, degrees: Sequence[int]
) -> tuple[torch.Tensor, Grid]:
    """All images compared at the layer and degree that the pipeline takes, (N, N, P), and that layer's grid."""
    layer = middle_layer(found.spec.layers)
    own = aggregate(tokens[found.spec.layers.index(layer)], layer.grid, middle_degree(degrees))
    return block_similarities(own, 0, (), len(own)), layer.grid


def groups_of(similarities: torch.Tensor, grid: Grid) -> Groups:
    """The groups of a lot."""
    described = [shared_patches(of_image, image) for image, of_image in enumerate(similarities)]
    return find_groups([strongest for strongest, _ in described], [p for _, of in described for p in of], grid)


def raw_scores(
    tokens: Sequence[torch.Tensor],
    found: PhotographSet,
    method: ChosenSettings,
    excluded: torch.Tensor | None = None,
) -> np.ndarray:
    """Raw image scores of a lot, without the excluded patches, bool (N, rows, columns), as references."""
    parts = []
    for layer, of_layer in zip(found.spec.layers, tokens, strict=True):
        left_out = None if excluded is None else any_patch(excluded, layer.grid).flatten(1)
        for degree in method.degrees:
            features = aggregate(of_layer, layer.grid, degree)
            scores = block_scores(features, 0, (), len(features), method.interval, left_out)
            parts.append(on_grid(scores, layer.grid, found.spec.grid))
    maps = anomaly_maps(torch.stack(parts).mean(dim=0), found.spec.grid, found.spec.image_size)
    return image_scores(maps).numpy()


def row_of(
    tokens: list[torch.Tensor],
    truth: np.ndarray,
    shared: np.ndarray,
    found: PhotographSet,
    method: ChosenSettings,
    with_scores: bool,
) -> dict[str, float]:
    """Groups of one lot, and image AUROC with and without their patches as references."""
    similarities, grid = middle_similarities(tokens, found, method.degrees)
    groups = groups_of(similarities, grid)
    grouped = groups.of_image > 0
    figures = {
        "groups": float(groups.count),
        "recall": float(grouped[shared].mean()) if shared.any() else float("nan"),
        "precision": float(shared[grouped].mean()) if grouped.any() else float("nan"),
    }
    if not (with_scores and truth.any()):
        return figures
    excluded = torch.from_numpy(groups.patches).view(-1, *grid)
    figures["before"] = image_metrics(truth, raw_scores(tokens, found, method))["auroc"]
    handled = raw_scores(tokens, found, method, excluded) if groups.count else None
    figures["after"] = figures["before"] if handled is None else image_metrics(truth, handled)["auroc"]
    return figures


def clean_lots(found: PhotographSet, count: int, draws: int, method: ChosenSettings) -> Iterator[tuple[int, list[int]]]:
    """Groups that lots without a repeated flaw are said to hold, by the number of varied defective photographs."""
    good, bad = np.flatnonzero(~found.defective), np.flatnonzero(found.defective)
    similarities, grid = middle_similarities(found.tokens, found, method.degrees)
    for varied in (0, round(0.05 * count), round(0.1 * count), round(0.2 * count)):
        counts = []
        for seed in range(draws):
            rng = np.random.default_rng([seed, varied, 1])
            chosen = [*rng.permutation(good)[: count - varied], *rng.permutation(bad)[:varied]]
            counts.append(groups_of(similarities[np.ix_(chosen, chosen)], grid).count)
        yield varied, counts


def repeated_lots(
    root: Path,
    category: Category,
    backbone: backbones.Backbone,
    found: PhotographSet,
    options: argparse.Namespace,
) -> Iterator[tuple[str, float, list[torch.Tensor], np.ndarray, np.ndarray]]:
    """Kind, share, tokens, truth and which images share the flaw, for every defective photograph drawn."""
    paths = [root / image.path for image in category.images] + images_in(root / category.name / "train" / "good")
    good, bad = np.flatnonzero(~found.defective), np.flatnonzero(found.defective)
    for kind in options.kinds or sorted({paths[image].parent.name for image in bad}):
        of_kind = [image for image in bad if paths[image].parent.name == kind]
        for draw in range(options.draws):
            rng = np.random.default_rng([draw, len(of_kind), 7])
            source, order = rng.choice(of_kind), rng.permutation(good)
            flawed = decode(paths[source].read_bytes())
            mask = load_mask_at(root, category.images[source], flawed.size[::-1], category.dataset)
            pasted = [paste(decode(paths[image].read_bytes()), flawed, mask, rng) for image in order[:COPIES]]
            copies = backbone.extract(pasted).patch_tokens
            others = rng.permutation([image for image in bad if image != source])
            for share in options.shares:
                count = round(share * options.images)
                own = [*order[COPIES : COPIES + options.images - count - VARIED], *others[:VARIED]]
                tokens = [
                    torch.cat([of[own], of_copies[:count].half()])
                    for of, of_copies in zip(found.tokens, copies, strict=True)
                ]
                shared = np.arange(len(tokens[0])) >= len(own)
                yield kind, share, tokens, shared | np.r_[found.defective[own], [False] * count], shared
                different = [*own[:-VARIED], *others[: VARIED + count]]
                whole = [of[different] for of in found.tokens]
                yield f"{kind}, not repeated", share, whole, found.defective[different], np.zeros(len(different), bool)


def main(arguments: Sequence[str]) -> None:
    """The command line: a table that Markdown understands."""
    parser = folder_parser(__doc__)
    parser.add_argument("--images", type=int, default=56, help="of a lot")
    parser.add_argument("--shares", type=float, nargs="+", default=(0.05, 0.1, 0.2, 0.3), help="that share the flaw")
    parser.add_argument("--kinds", nargs="+", help="names of folders of defective photographs; all unless given")
    parser.add_argument("--draws", type=int, default=2, help="defective photographs of each kind")
    parser.add_argument("--groups-only", action="store_true", help="leave out image AUROC, which takes longest")
    parser.add_argument("--clean-draws", type=int, default=20, help="lots without a repeated flaw of each size")
    options = parser.parse_args(arguments)
    backbone = backbones.load(options.backbone, device="cpu")
    method = with_defaults(Settings(backbone=options.backbone))
    print("| lot | share | groups | recall | precision | image AUROC | then |", "|---" * 7 + "|", sep="\n")
    for root in options.roots:
        for category in list_categories("folder", root):
            found = photographs_of(root, category, backbone)
            clean = clean_lots(found, options.images, options.clean_draws, method) if options.clean_draws else ()
            for varied, counts in clean:
                lots = f"{len(counts)} lots, {varied} varied defective of {options.images}"
                print(f"| {category.name}, {lots} | 0% | {sum(counts)} in all | – | – | – | – |", flush=True)
            for kind, share, tokens, truth, shared in repeated_lots(root, category, backbone, found, options):
                row = row_of(tokens, truth, shared, found, method, not options.groups_only)
                figures = [row.get(name, float("nan")) for name in ("recall", "precision", "before", "after")]
                texts = ["–" if np.isnan(figure) else f"{figure:.3f}" for figure in figures]
                print(f"| {kind} | {share:.0%} | {row['groups']:.0f} | {' | '.join(texts)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
