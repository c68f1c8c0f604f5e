"""Compare variants on generated lots only: `python -m training.select weights.safetensors --image-size 256`.

Lots of the packaged parts (`storage.generated`) and of textures no training step has drawn, with planted defects. No
photograph takes part: what is chosen here meets real pictures for the first time when it is evaluated.
"""

import argparse
import json
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from musc import backbones
from musc.lnamd import aggregate
from musc.maps import anomaly_maps, image_scores
from musc.metrics import image_metrics, pixel_metrics
from musc.mutual import mutual_scores
from musc.rscin import rescore
from musc.settings import Settings
from storage.defects import KINDS
from storage.generated import draw_part
from storage.parts import PARTS
from training.lots import draw_lot

HELD_OUT = 1_000_000_007
"""First number of the held-out lots' identity: no seed for training."""


def part_lot(part: str, image_count: int) -> tuple[list[Image.Image], np.ndarray]:
    """Pictures of a packaged part, two of three good, and their masks (N, 256, 256)."""
    kinds: list[str | None] = [None] * (image_count - image_count // 3)
    kinds += [list(KINDS)[index % len(KINDS)] for index in range(image_count // 3)]
    drawn = [draw_part(part, kind, seed=977, number=number) for number, kind in enumerate(kinds)]
    return [Image.fromarray(picture) for picture, _ in drawn], np.stack([mask for _, mask in drawn])


def texture_lot(number: int, image_count: int) -> tuple[list[Image.Image], np.ndarray]:
    """Pictures of a held-out scene, about a third with one insertion, and their masks (N, 256, 256).

    Every second lot has insertions as wide as half a picture.
    """
    largest = 64.0 if number % 2 else 16.0
    lot = draw_lot((HELD_OUT, number), image_count=image_count, size=256, share=0.4, most=1, largest=largest)
    pictures = np.rint(lot.pictures * 255).astype(np.uint8)
    return [Image.fromarray(picture) for picture in pictures], lot.masks


def draw_lots(texture_count: int, image_count: int) -> Iterator[tuple[str, list[Image.Image], np.ndarray]]:
    """Every lot of the comparison with its name."""
    for part in PARTS:
        yield part, *part_lot(part, image_count)
    for number in range(texture_count):
        yield f"texture {number}", *texture_lot(number, image_count)


def score_subsets(
    pictures: list[Image.Image], backbone: backbones.Backbone
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Patch scores (N, P) of several choices of levels from one pass, and class tokens of two kinds.

    `image_auroc` is with the backbone's own class tokens, `image_auroc_spread` with how far its channels spread.
    """
    features = backbone.extract(pictures)
    scores = {
        (level, degree): mutual_scores(aggregate(tokens, backbone.spec.grid, degree))
        for level, tokens in zip(backbone.spec.layers, features.patch_tokens, strict=True)
        for degree in Settings.degrees
    }
    levels = backbone.spec.layers
    subsets = [levels, *((level,) for level in levels), levels[:-1], levels[1:]]
    class_tokens = {"": features.class_tokens, "_spread": spread(features.patch_tokens)}
    return {
        " ".join(map(str, subset)): torch.stack([s for key, s in scores.items() if key[0] in subset]).mean(dim=0)
        for subset in dict.fromkeys(subsets)
        if subset
    }, class_tokens


def spread(patch_tokens: list[torch.Tensor]) -> torch.Tensor:
    """Class tokens that hold each channel's deviation and its largest distance from the mean: (N, 2 · C · levels)."""
    parts = []
    for tokens in patch_tokens:
        apart = tokens - tokens.mean(dim=1, keepdim=True)
        parts += [tokens.std(dim=1, correction=0), apart.abs().amax(dim=1)]
    return F.normalize(torch.cat(parts, dim=1), dim=1)


def measure(
    patch_scores: torch.Tensor, class_tokens: dict[str, torch.Tensor], masks: np.ndarray, spec: backbones.BackboneSpec
) -> dict[str, float]:
    """Figures of one lot; `image_auroc_raw` is without RsCIN."""
    maps = anomaly_maps(patch_scores, spec.grid, spec.image_size)
    raw = image_scores(maps)
    rows, columns = spec.image_size
    resized = [Image.fromarray(mask).resize((columns, rows), Image.Resampling.NEAREST) for mask in masks]
    labels = masks.any(axis=(1, 2))
    pixels = pixel_metrics(np.stack([np.asarray(mask) for mask in resized]).astype(np.uint8), maps)
    rescored = {kind: rescore(raw, tokens) for kind, tokens in class_tokens.items()}
    return {
        **{f"image_auroc{kind}": image_metrics(labels, scores)["auroc"] for kind, scores in rescored.items()},
        "image_auroc_raw": image_metrics(labels, raw)["auroc"],
        "pixel_auroc": pixels["auroc"],
        "pixel_aupro": pixels["aupro"],
    }


def mean_figures(of_lots: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over lots, rounded for printing."""
    return {key: round(float(np.mean([figures[key] for figures in of_lots])), 4) for key in of_lots[0]}


def main() -> None:
    """The command line: a JSON line per lot and choice of levels, then the means over parts and over all lots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", nargs="?", help="file written by training.export; the packaged ones unless given")
    parser.add_argument("--backbone", default="synthetic-conv", help="another backbone to compare with")
    parser.add_argument("--image-size", type=int, default=None)
    parser.add_argument("--levels", type=int, nargs="+", help="all pyramid levels to combine, e.g. 0 1 2")
    parser.add_argument("--textures", type=int, default=10, help="held-out texture lots")
    parser.add_argument("--images", type=int, default=12, help="images per lot")
    options = parser.parse_args()
    torch.set_num_threads(1)
    backbone = backbones.load(
        options.backbone,
        weights=options.weights,
        image_size=options.image_size,
        layers=options.levels,
        device="cpu",
    )
    measured: dict[str, dict[str, dict[str, float]]] = {}
    for name, pictures, masks in draw_lots(options.textures, options.images):
        subsets, class_tokens = score_subsets(pictures, backbone)
        for levels, patch_scores in subsets.items():
            figures = measure(patch_scores, class_tokens, masks, backbone.spec)
            measured.setdefault(levels, {})[name] = figures
            print(json.dumps({"lot": name, "levels": levels, **mean_figures([figures])}), flush=True)
    for levels, of_lots in measured.items():
        parts = mean_figures([figures for name, figures in of_lots.items() if name in PARTS])
        print(json.dumps({"mean of": "parts", "levels": levels, **parts}))
        print(json.dumps({"mean of": "all lots", "levels": levels, **mean_figures(list(of_lots.values()))}))


if __name__ == "__main__":
    main()
