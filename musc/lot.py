"""The whole method on one page, in memory, for a notebook or a small lot; the pipeline does it in resumable steps.

It ends with scores; `musc.decisions.decide_images` says which images are flagged.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from musc import backbones
from musc.image_scores import score_maps
from musc.maps import anomaly_maps, on_grid
from musc.mutual import degree_scores
from musc.plan.cost import pair_count
from musc.plan.layer_comparison import LayerComparison
from musc.plan.pooling import compare_layers
from musc.plan.sample import draw_sample, sample_size
from musc.rscin import rescore
from musc.settings import DEFAULT_BACKBONE, BackboneArguments, ChosenSettings, Settings


@dataclass(frozen=True)
class LotScores:
    """Scores of N images; all grow with anomaly."""

    image_scores: torch.Tensor
    """Float64 (N,) in [0, 1], after RsCIN."""
    raw_image_scores: torch.Tensor
    """Float32 (N,), maxima of the anomaly maps, or what else `image_score` says."""
    anomaly_maps: torch.Tensor
    """Float32 (N, H, W) at the backbone's image size, the largest of several."""
    patch_scores: torch.Tensor
    """Float32 (N, P) in [0, 2], P that of the finest grid of the backbone's layers, at the largest image size."""


def score_images(
    images: Sequence[Image.Image],
    backbone: str | backbones.Backbone = DEFAULT_BACKBONE,
    *,
    device: str = "auto",
    batch_size: int = 8,
    **settings: Any,
) -> LotScores:
    """Score the images of one product against each other.

    Args:
        images: at least two PIL images of any size, made upright RGB as the pipeline does with files: 16 bits per
            channel are scaled by the full range, EXIF orientation is applied, alpha is ignored.
        backbone: a name (see `musc.backbones.names`), or a loaded backbone to use again.
        device: `auto`, `cpu`, `cuda`, `cuda:1` … where features are made and compared; only together with a name.
        batch_size: images in one forward pass.
        settings: further fields of `musc.settings.Settings`, e.g. `degrees=(1, 3)`, or `references=200` for a sample of
            the others, drawn by the images' pixels and `seed`; those that decide the features, such as `image_size`,
            only together with a name.

    Returns:
        Scores, maps and patch scores in the order of `images`, on the CPU.

    Raises:
        ValueError: for fewer than two images, one of unknown range (floating point, 32-bit), a setting out of range, or
            one that a loaded backbone has decided.
        musc.backbones.WeightsUnavailableError: if the backbone's weights are neither here nor downloadable.

    Source: MuSc (ICLR 2024, arXiv 2401.16753), section 3.
    """
    if len(images) < 2:
        raise ValueError(f"images must hold at least 2 images to be scored against each other, got {len(images)}")
    name = backbone if isinstance(backbone, str) else backbone.spec.name
    method = backbones.with_defaults(Settings(backbone=name, **settings))
    if isinstance(backbone, str):
        sizes = [backbones.build(spec, device) for spec in backbones.resolve_settings(method, device)]
    else:
        require_undecided(name, [*settings, *["device"] * (device != "auto")], method)
        sizes = [backbone]
    contents = [pixel_digest(image) for image in images] if method.references else [""] * len(images)
    sample = draw_sample(contents, method.references, method.seed)
    largest = sizes[-1].spec
    per_layer_and_degree, class_tokens = [], torch.empty(0)
    for one in sizes:
        features = one.extract(images, batch_size)
        class_tokens = features.class_tokens  # in the end those of the largest size
        comparisons = comparisons_of(one, method, len(images))
        for comparison, tokens in zip(comparisons, features.patch_tokens, strict=True):
            # LNAMD (musc.lnamd) averages features over neighbourhoods of each degree; mutual scoring compares images.
            scores = degree_scores(
                tokens.to(one.device),
                comparison.grid,
                comparison.degrees,
                method.interval,
                sample=sample,
                match_radius=comparison.match_radius,
                pooling=comparison.pooled,
            )
            per_layer_and_degree += [
                on_grid(of_degree.cpu(), comparison.grid, largest.grid) for of_degree in scores.values()
            ]
    patch_scores = torch.stack(per_layer_and_degree).mean(dim=0)
    maps = anomaly_maps(patch_scores, largest.grid, largest.image_size)
    cells = patch_scores.view(-1, *largest.grid).numpy()
    raw = torch.from_numpy(score_maps(cells, largest.image_size, method.image_score)[0])
    # RsCIN: an image's score becomes the mean over images whose class tokens are alike.
    return LotScores(rescore(raw, class_tokens, method.rscin_windows), raw, maps, patch_scores)


def require_undecided(name: str, given: Sequence[str], method: ChosenSettings) -> None:
    """Refuse settings that a loaded backbone has decided.

    Raises:
        ValueError: naming them.
    """
    decided = [option for option in sorted(given) if option in {*BackboneArguments.__annotations__, "device"}]
    if decided:
        raise ValueError(
            f"settings of a loaded backbone must be given when it is loaded, got {', '.join(decided)}; "
            f"pass them to musc.backbones.load, or pass the backbone as the name {name!r}"
        )


def comparisons_of(
    backbone: backbones.Backbone, method: ChosenSettings, image_count: int
) -> tuple[LayerComparison, ...]:
    """How the images of each layer are compared, on the backbone's device."""
    return compare_layers(
        backbone.spec.layers,
        method.degrees,
        pair_count=pair_count(image_count, image_count, sample_size(image_count, method.references)),
        match_radius=method.match_radius,
        device=str(backbone.device),
        poolable=backbone.device.type == "cpu",
    )


def pixel_digest(image: Image.Image) -> str:
    """SHA-256 of an image's mode, size and pixels."""
    return hashlib.sha256(f"{image.mode} {image.size} ".encode() + image.tobytes()).hexdigest()
