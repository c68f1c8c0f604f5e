"""Pixel metrics at benchmark size: `musc.metrics` beside the plain way, time and peak memory.

The plain way is scikit-learn's AUROC, average precision and precision-recall curve on all pixels, and 200 passes over
the maps for the 200-threshold PRO, with every region labelled once beforehand. `musc.metrics` computes the same four
figures and the exact AU-PRO. Each way runs in its own process on the same seeded maps, so peak memory is its own.

    python benchmarks/metrics.py --images 40 --size 518
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ("auroc", "f1_max", "ap", "aupro_reference")
GRID = 37


def make_masks_and_maps(image_count: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth maps as a 37 × 37 grid of patch scores gives them, every second image with one to four elliptic defects.

    Returns:
        uint8 masks and float32 maps, each (image_count, size, size); about one pixel in 50 is defective.
    """
    random = np.random.default_rng(seed)
    masks = np.zeros((image_count, size, size), np.uint8)
    maps = np.empty((image_count, size, size), np.float32)
    pixels = np.linspace(0, 1, size)
    patches = np.linspace(0, 1, GRID)
    # Row s holds the two bilinear weights with which pixel s mixes the patches.
    mixing = np.clip(1 - np.abs(pixels[:, None] - patches) * (GRID - 1), 0, 1).astype(np.float32)
    for index in range(image_count):
        scores = random.uniform(0.30, 0.40, (GRID, GRID))
        for _ in range(random.integers(1, 5) if index % 2 else 0):
            centre, radius = random.uniform(0.1, 0.9, 2), random.uniform(0.02, 0.14, 2)
            masks[index] |= _ellipse(pixels, centre, radius) < 1
            scores += random.uniform(0.02, 0.3) * np.exp(-_ellipse(patches, centre, radius + 0.03))
        maps[index] = mixing @ scores.astype(np.float32) @ mixing.T
    return masks, maps


def compute_fast(masks: np.ndarray, maps: np.ndarray) -> dict[str, float]:
    from musc.metrics import pixel_metrics

    return pixel_metrics(masks, maps)


def compute_plain(masks: np.ndarray, maps: np.ndarray) -> dict[str, float]:
    from scipy import ndimage
    from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

    truth, scores = masks.ravel(), maps.ravel()
    figures = {
        "auroc": float(roc_auc_score(truth, scores)),
        "ap": float(average_precision_score(truth, scores)),
    }
    precision, recall, _ = precision_recall_curve(truth, scores)
    figures["f1_max"] = float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-30)))

    regions = []
    for index, mask in enumerate(masks):
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        regions += [(index, np.nonzero(labels == region)) for region in range(1, count + 1)]
    clean = masks == 0
    clean_count = clean.sum()
    lowest, highest = float(maps.min()), float(maps.max())
    rates, overlaps = [], []
    for threshold in np.arange(lowest, highest, (highest - lowest) / 200):
        found = maps > threshold
        overlaps.append(np.mean([found[index][where].mean() for index, where in regions]))
        rates.append(np.logical_and(clean, found).sum() / clean_count)
    rate, overlap = np.array(rates), np.array(overlaps)
    rate, overlap = rate[rate < 0.3], overlap[rate < 0.3]
    figures["aupro_reference"] = float(auc((rate - rate.min()) / (rate.max() - rate.min()), overlap))
    return figures


WAYS: dict[str, Callable[[np.ndarray, np.ndarray], dict[str, float]]] = {
    "plain": compute_plain,
    "musc.metrics": compute_fast,
}


def measure_here(way: str, options: argparse.Namespace) -> dict[str, Any]:
    """Run one way in this process; the first call, imports included, is not timed."""
    WAYS[way](*make_masks_and_maps(4, 64, seed=0))
    masks, maps = make_masks_and_maps(options.images, options.size, options.seed)
    seconds = []
    for _ in range(options.repeats):
        start = time.perf_counter()
        figures = WAYS[way](masks, maps)
        seconds.append(time.perf_counter() - start)
    # ru_maxrss counts KiB, except on macOS.
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"seconds": min(seconds), "peak_bytes": peak_bytes, "figures": figures}


def measure_apart(way: str, arguments: list[str]) -> dict[str, Any]:
    """Run one way in a process of its own. This one makes no maps: a child's peak counts its parent's memory."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, __file__, *arguments, "--way", way],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def compare(arguments: list[str]) -> dict[str, Any]:
    """Both ways, their ratios and the largest difference between figures they share."""
    results = {way: measure_apart(way, arguments) for way in WAYS}
    plain, fast = results["plain"], results["musc.metrics"]
    return {
        "ways": results,
        "speedup": plain["seconds"] / fast["seconds"],
        "memory_ratio": fast["peak_bytes"] / plain["peak_bytes"],
        "largest_difference": max(abs(plain["figures"][name] - fast["figures"][name]) for name in FIGURES),
    }


def _ellipse(places: np.ndarray, centre: np.ndarray, radius: np.ndarray) -> np.ndarray:
    rows, columns = (places - centre[0]) / radius[0], (places - centre[1]) / radius[1]
    return np.asarray(rows[:, None] ** 2 + columns**2)


def _print_table(options: argparse.Namespace, comparison: dict[str, Any]) -> None:
    print(f"{options.images} float32 maps of {options.size} × {options.size}, best of {options.repeats}")
    for way, result in comparison["ways"].items():
        figures = "  ".join(f"{name} {value:.6f}" for name, value in sorted(result["figures"].items()))
        print(f"{way:>12}  {result['seconds']:8.3f} s  peak {result['peak_bytes'] / 1e6:7.1f} MB  {figures}")
    print(
        f"{comparison['speedup']:.1f} times faster with {comparison['memory_ratio']:.2f} of the peak memory; "
        f"figures differ by at most {comparison['largest_difference']:.1e}"
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=40, help="number of maps (default 40)")
    parser.add_argument("--size", type=int, default=518, help="side of a map in pixels (default 518)")
    parser.add_argument("--repeats", type=int, default=1, help="runs of each way, the best counts (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the maps (default 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured to this file as well")
    parser.add_argument("--way", choices=list(WAYS), help="run only this way, in this process, and print JSON")
    options = parser.parse_args(arguments)
    if options.way:
        print(json.dumps(measure_here(options.way, options)))
        return
    comparison = compare(arguments)
    _print_table(options, comparison)
    if options.json:
        options.json.write_text(json.dumps(comparison, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
