"""Mutual scoring at all degrees together: the authors' way, ours, and what the bare matrix products take.

    python benchmarks/mutual.py
    python benchmarks/mutual.py --shape 24,37x37,1024 --degrees 1,3,5 --ways products,pooled --rounds 5
    python benchmarks/mutual.py --device cuda --shape 200,37x37,1024

All ways run in turn in one process, round after round, so that other work on the machine meets all of them; medians are
shown. Processor time is that of all threads: where other work takes part of the cores it says more than wall time.
*one product* multiplies each unordered pair of images once, *bare products* once for each degree, in pieces as the ways
do and without looking at the result: no way can be faster than the first, none with a product a degree than the second.
The rate is that of *one product*: 2 P² C operations a pair.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from musc.backbone_families import LITE0_NAME
from musc.backbones import resolve
from musc.kernels.match_window import window_bands
from musc.kernels.matrix_products import products
from musc.layers import Grid
from musc.lnamd import aggregate
from musc.mutual import degree_scores, interval_counts, mutual_scores
from musc.threads import Scratch, for_each

INTERVAL = (0.0, 0.3)
COMPARED = 5
"""Images of which all ways' scores are compared with the authors' way."""


@dataclass(frozen=True)
class Case:
    """A lot of random patch tokens, and the degrees at which it is scored."""

    image_count: int
    grid: Grid
    width: int
    degrees: tuple[int, ...]

    def __str__(self) -> str:
        rows, columns = self.grid
        return f"{self.image_count}, {rows}x{columns}, {self.width}, degrees {' '.join(map(str, self.degrees))}"

    @property
    def product_operations(self) -> int:
        """Multiplications and additions of one product of each unordered pair."""
        patch_count = self.grid[0] * self.grid[1]
        return self.image_count * (self.image_count - 1) * patch_count**2 * self.width

    def tokens(self, device: torch.device) -> torch.Tensor:
        """Float32 (N, P, C)."""
        torch.manual_seed(0)
        return torch.randn(self.image_count, self.grid[0] * self.grid[1], self.width).to(device)


Scores = dict[int, torch.Tensor]
Way = Callable[[torch.Tensor, Case], Scores | None]


def authors(tokens: torch.Tensor, case: Case) -> Scores:
    """Per degree and image: distances to all patches of all other images, nearest of each, mean of the lowest 30 %."""
    return {degree: straightforward(aggregate(tokens, case.grid, degree)) for degree in case.degrees}


def straightforward(features: torch.Tensor) -> torch.Tensor:
    """The authors' way with features (N, P, C) at one degree."""
    image_count, patch_count, width = features.shape
    _, high = interval_counts(INTERVAL, image_count - 1)
    scores = []
    for query in range(image_count):
        others = torch.cat([features[:query], features[query + 1 :]]).view(-1, width)
        distances = torch.cdist(features[query], others).view(patch_count, image_count - 1, patch_count)
        nearest = distances.amin(dim=2)
        scores.append(nearest.topk(high, dim=1, largest=False).values.mean(dim=1))
    return torch.stack(scores)


def halved(dtype: torch.dtype) -> Way:
    """A product for each degree of features that were rounded."""

    def scores(tokens: torch.Tensor, case: Case) -> Scores:
        rounded = {degree: aggregate(tokens, case.grid, degree).to(dtype) for degree in case.degrees}
        return {degree: mutual_scores(features, INTERVAL) for degree, features in rounded.items()}

    return scores


def bare_products(tokens: torch.Tensor, count: int) -> None:
    """Multiply each unordered pair of images `count` times."""
    bands, scratch = window_bands(tokens.shape[1], None, None, tokens.device), Scratch()

    def visit(query: int) -> None:
        for _ in products(tokens[query], tokens, query + 1, bands, scratch):
            pass

    for _ in range(count):
        for_each(visit, range(len(tokens) - 1), tokens.device)


WAYS: dict[str, Way] = {
    "authors": authors,
    "products": lambda tokens, case: degree_scores(tokens, case.grid, case.degrees, INTERVAL, pooling=False),
    "pooled": lambda tokens, case: degree_scores(tokens, case.grid, case.degrees, INTERVAL, pooling=True),
    "bare products": lambda tokens, case: bare_products(tokens, len(case.degrees)),
    "one product": lambda tokens, case: bare_products(tokens, 1),
    "float16": halved(torch.float16),
    "bfloat16": halved(torch.bfloat16),
}
USUAL_WAYS = {
    "cpu": ["authors", "products", "pooled", "bare products", "one product"],
    "cuda": ["authors", "products", "float16", "bfloat16", "bare products", "one product"],
}


def default_cases() -> list[Case]:
    """The paper's backbone, a smaller ViT, and the levels of the default backbone."""
    levels = [Case(48, layer.grid, layer.width, (1, 3)) for layer in resolve(LITE0_NAME).layers]
    return [Case(24, (37, 37), 1024, (1, 3, 5)), Case(64, (14, 14), 768, (1, 3, 5)), *levels]


def timed(action: Callable[[], object], device: torch.device) -> tuple[float, float]:
    """Wall and processor seconds of one call, the device's work included."""
    started, worked = time.perf_counter(), time.process_time()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started, time.process_time() - worked


def compared(case: Case, ways: Sequence[str], device: torch.device, rounds: int) -> list[dict[str, object]]:
    """Every way on one case: medians of the rounds, and the largest difference of a score from the authors' way."""
    tokens = case.tokens(device)
    some = tokens[:COMPARED]
    expected = authors(some, case)
    differences = {}
    for way in ways:  # which also compiles and warms up
        found = WAYS[way](some, case)
        differences[way] = None if found is None else max(float((found[d] - expected[d]).abs().max()) for d in found)
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            times[way].append(timed(lambda way=way: WAYS[way](tokens, case), device))  # type: ignore[misc]
    return [
        {
            "case": str(case),
            "way": way,
            "seconds": statistics.median(wall for wall, _ in times[way]),
            "processor_seconds": statistics.median(work for _, work in times[way]),
            "largest_difference": differences[way],
            "product_operations": case.product_operations,
        }
        for way in ways
    ]


def show(rows: Sequence[dict[str, object]]) -> None:
    """Print one case as a table; times are also given as multiples of the last way's, usually *one product*."""
    last = rows[-1]
    rate = float(last["product_operations"]) / float(last["seconds"]) / 1e9  # type: ignore[arg-type]
    print(f"\n{rows[0]['case']}: {last['way']} at {rate:.0f} GFLOP/s")
    print(f"{'way':<15}{'seconds':>9}{'× last':>8}{'processor':>11}{'× last':>8}{'error':>10}")
    for row in rows:
        wall, work = (float(row[name]) / float(last[name]) for name in ("seconds", "processor_seconds"))  # type: ignore[arg-type]
        error = "" if row["largest_difference"] is None else f"{row['largest_difference']:.1e}"
        print(
            f"{row['way']:<15}{row['seconds']:>9.3f}{wall:>8.2f}{row['processor_seconds']:>11.3f}{work:>8.2f}{error:>10}"
        )


def parsed_case(text: str, degrees: tuple[int, ...]) -> Case:
    """A case as it is written on the command line: images, rows x columns, width."""
    images, grid, width = text.split(",")
    rows, columns = map(int, grid.split("x"))
    return Case(int(images), (rows, columns), int(width), degrees)


def main() -> None:
    """Read the options, measure, print; `--json` also writes the figures to a file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    options.add_argument("--shape", action="append", help="images, grid and width, as 24,37x37,1024; may be repeated")
    options.add_argument("--degrees", default="1,3,5", help="of the shapes given")
    options.add_argument("--device", default="cpu", help="cpu (the default), cuda, cuda:1 …")
    options.add_argument("--ways", help=f"some of {', '.join(WAYS)}, separated by commas")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", help="file for the figures")
    given = options.parse_args()
    degrees = tuple(map(int, given.degrees.split(",")))
    cases = [parsed_case(text, degrees) for text in given.shape or ()] or default_cases()
    device = torch.device(given.device)
    ways = given.ways.split(",") if given.ways else USUAL_WAYS[device.type]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    print(f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    rows = []
    for case in cases:
        rows += (found := compared(case, ways, device, given.rounds))
        show(found)
    if given.json:
        with open(given.json, "w") as file:  # noqa: PTH123
            json.dump(rows, file)


if __name__ == "__main__":
    main()
