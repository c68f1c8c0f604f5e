"""Mutual scoring against the straightforward way and against what the processor can multiply, in one run.

    python benchmarks/mutual.py
    python benchmarks/mutual.py --shape 24,1369,1024 --growth 8,16,32

Operations are counted once per unordered pair: N (N − 1) / 2 · 2 P² C. The ceiling is the best rate of a large square
float32 product measured just before and after. Each way runs in a process of its own, so that its peak memory is its.
"""

import argparse
import json
import multiprocessing
import platform
import resource
import time
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F

from musc.mutual import interval_counts, mutual_scores

INTERVAL = (0.0, 0.3)
SHAPES = ((24, 1369, 1024), (64, 196, 768))
CEILING_SIDE = 2048


def unit_features(image_count: int, patch_count: int, width: int) -> torch.Tensor:
    """Random unit vectors, float32 (N, P, C)."""
    torch.manual_seed(0)
    return F.normalize(torch.randn(image_count, patch_count, width), dim=-1)


def straightforward(features: torch.Tensor) -> torch.Tensor:
    """Per image: distances to all patches of all other images, nearest of each, mean of the lowest 30 %."""
    image_count, patch_count, width = features.shape
    _, high = interval_counts(INTERVAL, image_count - 1)
    scores = []
    for query in range(image_count):
        others = torch.cat([features[:query], features[query + 1 :]]).view(-1, width)
        distances = torch.cdist(features[query], others).view(patch_count, image_count - 1, patch_count)
        nearest = distances.amin(dim=2)
        scores.append(nearest.topk(high, dim=1, largest=False).values.mean(dim=1))
    return torch.stack(scores)


WAYS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "straightforward": straightforward,
    "ours": lambda features: mutual_scores(features, INTERVAL),
}


def ceiling() -> float:
    """Best rate of a square float32 product, in operations per second."""
    left, right = torch.randn(CEILING_SIDE, CEILING_SIDE), torch.randn(CEILING_SIDE, CEILING_SIDE)
    product = torch.empty(CEILING_SIDE, CEILING_SIDE)
    best = min(timed(lambda: torch.mm(left, right, out=product)) for _ in range(8))
    return 2 * CEILING_SIDE**3 / best


def timed(action: Callable[[], object]) -> float:
    """Seconds one call takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def measured(way: str, shape: tuple[int, int, int], repeats: int) -> dict[str, float]:
    """Best time of one way, the ceiling around it, and peak memory beyond the features; for a process of its own."""
    features = unit_features(*shape)
    WAYS[way](features[:3])
    rates = [ceiling()]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = min(timed(lambda: WAYS[way](features)) for _ in range(repeats))
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    rates.append(ceiling())
    return {"seconds": seconds, "ceiling": max(rates), "memory_bytes": memory}


def alone(way: str, shape: tuple[int, int, int], repeats: int) -> dict[str, float]:
    """`measured`, in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measured, (way, shape, repeats))


def compared(shape: tuple[int, int, int], repeats: int) -> dict[str, object]:
    """Both ways on one shape."""
    plain, ours = (alone(way, shape, repeats) for way in WAYS)
    image_count, patch_count, width = shape
    operations = image_count * (image_count - 1) * patch_count**2 * width
    largest = (
        (mutual_scores(some := unit_features(min(image_count, 5), *shape[1:])) - straightforward(some)).abs().max()
    )
    return {
        "shape": list(shape),
        "straightforward_seconds": plain["seconds"],
        "seconds": ours["seconds"],
        "ratio": plain["seconds"] / ours["seconds"],
        "ceiling_gflops": ours["ceiling"] / 1e9,
        "fraction_of_ceiling": operations / ours["seconds"] / ours["ceiling"],
        "straightforward_memory_bytes": plain["memory_bytes"],
        "memory_bytes": ours["memory_bytes"],
        "largest_difference": float(largest),
    }


def show(rows: Sequence[dict[str, object]]) -> None:
    """Print the comparison as a table."""
    print(
        f"{'N, P, C':<18}{'plain s':>9}{'ours s':>9}{'ratio':>7}{'ceiling':>9}{'fraction':>10}{'plain MB':>10}{'MB':>7}"
    )
    for row in rows:
        name = ", ".join(map(str, row["shape"]))  # type: ignore[call-overload]
        print(
            f"{name:<18}{row['straightforward_seconds']:>9.3f}{row['seconds']:>9.3f}{row['ratio']:>7.2f}"
            f"{row['ceiling_gflops']:>7.0f} G{row['fraction_of_ceiling']:>10.2f}"
            f"{row['straightforward_memory_bytes'] / 1e6:>10.0f}{row['memory_bytes'] / 1e6:>7.0f}"  # type: ignore
        )


def main() -> None:
    """Read the options, measure, print; `--json` also writes the figures to a file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    options.add_argument("--shape", action="append", help="N,P,C; may be given more than once")
    options.add_argument(
        "--growth", default="16,32,64,128", help="numbers of images at P = 196, C = 768; empty for none"
    )
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--json", help="file for the figures")
    given = options.parse_args()
    shapes = [tuple(map(int, text.split(","))) for text in given.shape or ()] or list(SHAPES)
    shapes += [(int(count), 196, 768) for count in given.growth.split(",") if count]
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    rows = [compared(shape, given.repeats) for shape in shapes]  # type: ignore[arg-type]
    show(rows)
    if given.json:
        with open(given.json, "w") as file:  # noqa: PTH123
            json.dump(rows, file)


if __name__ == "__main__":
    main()
