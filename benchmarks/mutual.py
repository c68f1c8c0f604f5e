"""Mutual scoring against the straightforward way and against what the device can multiply, in one run.

    python benchmarks/mutual.py
    python benchmarks/mutual.py --shape 24,1369,1024 --growth 8,16,32
    python benchmarks/mutual.py --device cuda --shape 200,1369,1024

Operations are counted once per unordered pair: N (N − 1) / 2 · 2 P² C. The ceiling is the best rate of a large square
product measured just before and after, in float32 on a CPU and in bfloat16 on a GPU. Each way runs in a process of its
own, so that its peak memory is its. On a CPU `fused` needs TRITON_INTERPRET=1 and tells nothing about speed.
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
CEILINGS = {"cpu": (2048, torch.float32), "cuda": (8192, torch.bfloat16)}
"""Side and dtype of the product whose rate is the ceiling."""


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
    "float32": lambda features: mutual_scores(features, INTERVAL),
    "float16": lambda features: mutual_scores(features.half(), INTERVAL),
    "bfloat16": lambda features: mutual_scores(features.bfloat16(), INTERVAL),
    "fused float16": lambda features: mutual_scores(features.half(), INTERVAL, fused=True),
    "fused bfloat16": lambda features: mutual_scores(features.bfloat16(), INTERVAL, fused=True),
}
USUAL_WAYS = {"cpu": ["straightforward", "float32"], "cuda": list(WAYS)}


def ceiling(device: torch.device) -> float:
    """Best rate of a square product, in operations per second."""
    side, dtype = CEILINGS[device.type]
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    product = torch.empty(side, side, device=device, dtype=dtype)
    best = min(timed(lambda: torch.mm(left, right, out=product), device) for _ in range(8))
    return 2 * side**3 / best


def timed(action: Callable[[], object], device: torch.device) -> float:
    """Seconds one call takes, the device's work included."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    started = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def peak_bytes(device: torch.device) -> int:
    """The most memory this process has had, on the GPU if that is where it computes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measured(way: str, shape: tuple[int, int, int], device_name: str, repeats: int) -> dict[str, float]:
    """Best time of one way, the ceiling around it, and peak memory beyond the features; for a process of its own."""
    device = torch.device(device_name)
    features = unit_features(*shape).to(device)
    WAYS[way](features[:3])
    rates = [ceiling(device)]
    before = peak_bytes(device)
    seconds = min(timed(lambda: WAYS[way](features), device) for _ in range(repeats))
    memory = peak_bytes(device) - before
    rates.append(ceiling(device))
    some = features[:5]
    largest = (WAYS[way](some) - straightforward(some)).abs().max()
    return {
        "seconds": seconds,
        "ceiling": max(rates),
        "memory_bytes": memory,
        "largest_difference": float(largest),
    }


def alone(way: str, shape: tuple[int, int, int], device_name: str, repeats: int) -> dict[str, float]:
    """`measured`, in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measured, (way, shape, device_name, repeats))


def compared(
    shape: tuple[int, int, int], ways: Sequence[str], device_name: str, repeats: int
) -> list[dict[str, object]]:
    """Every way on one shape, beside the first one."""
    image_count, patch_count, width = shape
    operations = image_count * (image_count - 1) * patch_count**2 * width
    found = {way: alone(way, shape, device_name, repeats) for way in ways}
    return [
        {
            "shape": list(shape),
            "way": way,
            "seconds": one["seconds"],
            "ratio": found[ways[0]]["seconds"] / one["seconds"],
            "ceiling_gflops": one["ceiling"] / 1e9,
            "fraction_of_ceiling": operations / one["seconds"] / one["ceiling"],
            "memory_bytes": one["memory_bytes"],
            "largest_difference": one["largest_difference"],
        }
        for way, one in found.items()
    ]


def show(rows: Sequence[dict[str, object]]) -> None:
    """Print the comparison as a table; the fraction of the ceiling counts each unordered pair once."""
    print(f"{'N, P, C':<18}{'way':<17}{'seconds':>9}{'ratio':>7}{'ceiling':>11}{'fraction':>10}{'MB':>8}{'error':>9}")
    for row in rows:
        name = ", ".join(map(str, row["shape"]))  # type: ignore[call-overload]
        print(
            f"{name:<18}{row['way']:<17}{row['seconds']:>9.3f}{row['ratio']:>7.2f}{row['ceiling_gflops']:>9.0f} G"
            f"{row['fraction_of_ceiling']:>10.2f}{row['memory_bytes'] / 1e6:>8.0f}"  # type: ignore[operator]
            f"{row['largest_difference']:>9.1e}"
        )


def main() -> None:
    """Read the options, measure, print; `--json` also writes the figures to a file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    options.add_argument("--shape", action="append", help="N,P,C; may be given more than once")
    options.add_argument(
        "--growth", default="16,32,64,128", help="numbers of images at P = 196, C = 768; empty for none"
    )
    options.add_argument("--device", default="cpu", help="cpu (the default), cuda, cuda:1 …")
    options.add_argument("--ways", help=f"some of {', '.join(WAYS)}, separated by commas; the first is compared with")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--json", help="file for the figures")
    given = options.parse_args()
    shapes = [tuple(map(int, text.split(","))) for text in given.shape or ()] or list(SHAPES)
    shapes += [(int(count), 196, 768) for count in given.growth.split(",") if count]
    device = torch.device(given.device)
    ways = given.ways.split(",") if given.ways else USUAL_WAYS[device.type]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    print(f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    rows = [row for shape in shapes for row in compared(shape, ways, given.device, given.repeats)]  # type: ignore[arg-type]
    show(rows)
    if given.json:
        with open(given.json, "w") as file:  # noqa: PTH123
            json.dump(rows, file)


if __name__ == "__main__":
    main()
