"""A table of ways to score the same lots: figures of the first way, and the others' gains with paired intervals.

Every figure of a lot follows from what its images add to one histogram: a column per distinct image score, or per bin
of pixel scores. A lot drawn with replacement is a weighted sum of its images' rows, so that all figures, those of
pixels and AU-PRO as well, are computed anew for every resampling. Good and defective images are drawn separately, and
all ways are judged on the same ones.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from musc.metrics.connected_regions import region_weights
from musc.metrics.counting import CleanCounts
from musc.metrics.ranking import ranking_metrics
from musc.metrics.region_overlap import overlap_area

Judged = tuple[torch.Tensor, torch.Tensor]
"""Anomaly maps (n, H, W) at the size of the masks, and image scores (n,)."""
Judge = Callable[[Sequence[int]], Judged]
FIGURES = ("image_auroc", "image_ap", "image_f1_max", "pixel_auroc", "pixel_ap", "pixel_aupro")
TITLES = ("lot", "images", "way", "image AUROC", "AP", "F1-max", "pixel AUROC", "AP", "AU-PRO", "CPU s")
BINS = 2000
"""Of pixel scores: half hold as many clean pixels each, half as many defective ones."""
LIMIT = 0.3
"""False positive rate up to which AU-PRO integrates."""


class Counted(NamedTuple):
    """What each image adds to every bin of scores, lowest first: (n, B) each."""

    defective: np.ndarray
    clean: np.ndarray
    overlap: np.ndarray
    """1 / area of their regions, summed over the defective pixels."""


def counted_images(defective: np.ndarray, scores: np.ndarray) -> Counted:
    """A bin for each distinct score: of truth, bool (n,), and image scores (n,)."""
    values, places = np.unique(scores, return_inverse=True)
    hits = np.zeros((len(scores), len(values)))
    hits[np.arange(len(scores)), places] = 1
    return Counted(hits * defective[:, None], hits * ~defective[:, None], np.zeros_like(hits))


def counted_pixels(masks: np.ndarray, maps: np.ndarray) -> Counted:
    """`BINS` bins of masks, bool (n, H, W), and anomaly maps (n, H, W)."""
    ranks = np.linspace(0, 1, BINS // 2)
    edges = np.unique(np.concatenate([np.quantile(maps[of], ranks) for of in (masks, ~masks) if of.any()]))
    bins = np.searchsorted(edges, maps)

    def counts(of: np.ndarray, weights: np.ndarray) -> np.ndarray:
        images = np.broadcast_to(np.arange(len(maps))[:, None, None], maps.shape)[of]
        found = np.bincount(images * (len(edges) + 1) + bins[of], weights, len(maps) * (len(edges) + 1))
        return found.reshape(len(maps), -1)

    return Counted(
        counts(masks, np.ones(masks.sum())),
        counts(~masks, np.ones((~masks).sum())),
        counts(masks, region_weights(masks)[0]),
    )


def figures_of(counted: Counted, weights: np.ndarray) -> dict[str, float]:
    """AUROC, AP, F1-max and AU-PRO of a lot that holds every image so many times, weights (n,)."""
    defective, clean, overlap = (np.cumsum((weights @ of)[::-1]) for of in counted)
    counts = CleanCounts(np.concatenate([[0.0], clean[:-1]]), clean, clean[-1])
    found = ranking_metrics(defective, counts)
    if overlap[-1]:
        found["aupro"] = overlap_area(overlap / overlap[-1], counts, LIMIT)
    return found


def all_figures(pair: tuple[Counted, Counted], weights: np.ndarray) -> np.ndarray:
    """The `FIGURES` of one lot from its images and its pixels."""
    images, pixels = (figures_of(of, weights) for of in pair)
    found = {f"image_{name}": value for name, value in images.items()}
    found |= {f"pixel_{name}": value for name, value in pixels.items()}
    return np.array([found[name] for name in FIGURES])


def resampled(defective: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """How often each image is drawn, (n,): first once each, then at random, good and defective ones separately."""
    yield np.ones(len(defective))
    rng = np.random.default_rng(0)
    for _ in range(count):
        drawn = [rng.choice(of, len(of)) for of in map(np.flatnonzero, (~defective, defective))]
        yield np.bincount(np.concatenate(drawn), minlength=len(defective)).astype(float)


def rows_of(
    lot: str, draws: Sequence[Sequence[int]], masks: np.ndarray, judges: Mapping[str, Judge], count: int
) -> Iterator[dict[str, Any]]:
    """A row for each way: every figure, its gain over the first way, and the 95 % interval of the gain.

    Args:
        lot: its name.
        draws: positions of the images of each draw; figures are means over the draws.
        masks: bool (N, H, W) of all images.
        judges: the ways; the first is compared with, and its interval is that of the figure itself.
        count: resamplings.
    """
    truths = [np.any(masks[list(chosen)], axis=(1, 2)) for chosen in draws]
    first: np.ndarray | None = None
    for way, judge in judges.items():
        started = time.process_time()
        judged = [judge(chosen) for chosen in draws]
        seconds = (time.process_time() - started) / len(draws)
        found = np.mean(
            [
                [all_figures(pair, weights) for weights in resampled(truth, count)]
                for truth, pair in (
                    (
                        truth,
                        (
                            counted_images(truth, images.double().numpy()),
                            counted_pixels(masks[list(chosen)], maps.numpy()),
                        ),
                    )
                    for truth, chosen, (maps, images) in zip(truths, draws, judged, strict=True)
                )
            ],
            axis=0,
        )  # (1 + count, figures)
        gains = found if first is None else found - first
        first = found if first is None else first
        row: dict[str, Any] = {"lot": lot, "images": f"{(~truths[0]).sum()} + {truths[0].sum()}", "way": way}
        for place, name in enumerate(FIGURES):
            low, high = np.quantile(gains[1:, place], [0.025, 0.975])
            row |= {name: found[0, place], f"{name}_gain": gains[0, place], f"{name}_low": low, f"{name}_high": high}
        yield {**row, "is_first": gains is found, "cpu_seconds": seconds}


def text_of(row: Mapping[str, Any], timed: bool = True) -> str:
    """A row of a Markdown table; gains whose interval leaves out 0 are bold, and those of 0 are a dot."""

    def cell(name: str) -> str:
        values = [row[f"{name}_{part}"] for part in ("gain", "low", "high")]
        if row["is_first"]:
            return "{:.3f} ({:.3f} … {:.3f})".format(*values)
        if max(map(abs, values)) < 0.0005:
            return "·"
        text = "{:+.3f} ({:+.3f} … {:+.3f})".format(*values)
        return f"**{text}**" if values[1] > 0 or values[2] < 0 else text

    cells = [row["lot"], row["images"], row["way"], *map(cell, FIGURES)]
    if timed:
        cells.append(f"{row['cpu_seconds']:.1f}")
    return f"| {' | '.join(cells)} |"


def heading(timed: bool = True) -> str:
    """The first two lines of the table, with or without the last column, CPU seconds."""
    titles = TITLES if timed else TITLES[:-1]
    return f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|"
