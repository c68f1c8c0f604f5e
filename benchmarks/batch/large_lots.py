"""A sample of references beside the full method on a lot of thousands, through the command `musc score`.

    python benchmarks/batch/large_lots.py /tmp/lots --parts cast woven --images 5000

Lots are drawn, 15 % of the parts defective, and scored by `musc score --references 250 --memory 1GB` in a process of
its own, whose peak memory is read; *of that loaded* is the peak on 64 of the images, libraries and network. The full
method compares every pair of images: it is measured on a part of the images, each against all others of the lot, which
gives exactly the scores that the whole lot would, at a fraction of the time. The sample is judged on the same images.
*Scores differ*: the largest difference of the command's scores from those computed here for the same sample.
"""

import argparse
import multiprocessing
import re
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from comparison import counted_images, figures_of, resampled

from musc.kernels.matrix_products import fill_directed
from musc.lnamd import aggregate
from musc.maps import anomaly_maps, image_scores, on_grid
from musc.mutual import interval_mean
from musc.plan.cost import pair_count
from musc.plan.sample import draw_sample
from musc.settings import Settings
from planning.requests import LotRequest
from planning.resources import Resources
from reports.run_record import read_record
from storage.datasets.synthetic.lot import write_lot
from storage.results.features import LotFeatures
from storage.results.runs import Run, run_at

DEFECTIVE = 0.15
LOADED = 64
"""Images of the small lot that says how much memory a process has before it scores."""
INTERVAL = (0.0, 0.3)
DEGREES = (1, 3)
"""As the default backbone's lots are scored."""


def score_folder(folder: Path, store: Path, options: argparse.Namespace) -> tuple[str, int]:
    """Score a folder as the command does: the run's place and the process's peak bytes."""
    from cli.process.engines import score_lot, with_engine

    torch.set_num_threads(1)
    request = LotRequest(
        folder=str(folder),
        output=str(store),
        settings=Settings(references=options.references, image_size=options.image_size, seed=0),
        resources=Resources.model_validate({"memory": options.memory, "device": "cpu", "engine": "inline"}),
    )
    done = score_lot(with_engine(request))
    return f"{store}/{done.run}", peak_bytes()


def peak_bytes() -> int:
    """Most memory this process held at once; `getrusage` would count what its parent held when it was started."""
    status = Path("/proc/self/status").read_text("ascii")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]


def in_own_process(folder: Path, store: Path, options: argparse.Namespace) -> tuple[Run, int]:
    """A run, and the peak bytes of the process that made it."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        location, peak = process.submit(score_folder, folder, store, options).result()
    return run_at(location), peak


def query_scores(
    run: Run, queries: Sequence[int], samples: Mapping[str, Sequence[int] | None]
) -> dict[str, np.ndarray]:
    """Raw image scores of some images, each against all others of the lot and against samples of them.

    Args:
        run: whose features are read.
        queries: positions of the images.
        samples: positions of M + 1 references each, the last one spare; None is all others.
    """
    record = read_record(run)
    features = LotFeatures(run.store, record.keys.features)
    spec = record.job.backbone
    sums = {name: torch.zeros(len(queries), spec.grid[0] * spec.grid[1]) for name in samples}
    for layer in spec.layers:
        tokens = torch.from_numpy(features.patch_tokens(layer.number, 0, len(features)))
        for degree in DEGREES:
            vectors = aggregate(tokens, layer.grid, degree)
            for row, query in enumerate(queries):
                similarities = torch.full((1, len(vectors), layer.patch_count), -torch.inf)
                fill_directed(similarities, vectors[query : query + 1], vectors)
                similarities[0, query] = -torch.inf
                for name, sample in samples.items():
                    rows = [query, *references_of(query, sample, len(vectors))]
                    scores = interval_mean(similarities[0, rows], INTERVAL)
                    sums[name][row] += on_grid(scores[None], layer.grid, spec.grid)[0]
    count = len(spec.layers) * len(DEGREES)
    return {
        name: image_scores(anomaly_maps(total / count, spec.grid, spec.image_size)).numpy()
        for name, total in sums.items()
    }


def references_of(query: int, sample: Sequence[int] | None, image_count: int) -> list[int]:
    """The references of an image, as `draw_sample` says: without itself, or else without the last one drawn."""
    if sample is None:
        return [image for image in range(image_count) if image != query]
    return [image for image in sample if image != query][: len(sample) - 1]


def part_row(part: str, folder: Path, options: argparse.Namespace) -> str:
    """A row of the table: one lot."""
    defective = round(DEFECTIVE * options.images)
    counts = {"good_count": options.images - defective, "defective_count": defective}
    write_lot(folder / part, part=part, seed=3, size=options.size, **counts)
    write_lot(folder / f"{part}-few", part=part, seed=3, size=options.size, good_count=LOADED, defective_count=0)
    _, loaded = in_own_process(folder / f"{part}-few" / "test", folder / "store", options)
    run, peak = in_own_process(folder / part / "test", folder / "store", options)
    images = run.scored_images()
    truth = np.array([not image.path.startswith("good/") for image in images])
    table = run.scores().set_index("path")["raw_score"]
    whole = table.loc[[image.path for image in images]].to_numpy()
    rng = np.random.default_rng(0)
    shares = ((~truth, options.queries - options.queries // 3), (truth, options.queries // 3))
    queries = np.concatenate([rng.choice(np.flatnonzero(of), count, replace=False) for of, count in shares])
    contents = [image.sha256 for image in images]
    samples: dict[str, Any] = {"full": None}
    samples |= {f"seed {seed}": draw_sample(contents, options.references, seed) for seed in range(options.seeds)}
    found = query_scores(run, queries.tolist(), samples)
    off = float(np.abs(found["seed 0"] - whole[queries]).max())
    of_queries = truth[queries]
    aurocs = {name: auroc(of_queries, scores) for name, scores in found.items()}
    losses = [
        auroc(of_queries, found["full"], weights) - auroc(of_queries, found["seed 0"], weights)
        for weights in resampled(of_queries, options.resamplings)
    ]
    low, high = np.quantile(losses[1:], [0.025, 0.975])
    others = [f"{aurocs['full'] - aurocs[name]:+.4f}" for name in list(samples)[2:]]
    pairs = [pair_count(len(images), len(images), of) for of in (options.references + 1, len(images))]
    cells = [
        part,
        f"{(~truth).sum()} + {truth.sum()}",
        f"{auroc(truth, whole):.4f}",
        f"{(~of_queries).sum()} + {of_queries.sum()}",
        f"{aurocs['full']:.4f}",
        f"{losses[0]:+.4f} ({low:+.4f} … {high:+.4f})",
        ", ".join(others),
        f"{pairs[0] / pairs[1]:.4f}",
        f"{peak / 2**20:.0f} MiB",
        f"{loaded / 2**20:.0f} MiB",
        f"{off:.1e}",
    ]
    return f"| {' | '.join(cells)} |"


def auroc(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Image AUROC of a lot that holds every image so many times."""
    counted = counted_images(truth, scores)
    return figures_of(counted, np.ones(len(truth)) if weights is None else weights)["auroc"]


TITLES = (
    "part",
    "images",
    "AUROC, sample",
    "of which by both",
    "AUROC, full",
    "loss of the sample",
    "of other samples",
    "operations",
    "peak memory",
    "of that loaded",
    "scores differ",
)


def main(arguments: Sequence[str]) -> None:
    """The command line: a table that Markdown understands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where lots and the store are written")
    parser.add_argument("--parts", nargs="+", default=("cast", "woven", "brushed"))
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--size", type=int, default=128, help="pixels at which parts are drawn")
    parser.add_argument("--image-size", type=int, default=96, help="pixels at which they are scored")
    parser.add_argument("--references", type=int, default=250)
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--queries", type=int, default=300, help="images scored by the full method, a third defective")
    parser.add_argument("--seeds", type=int, default=4, help="samples, of which the first is the command's")
    parser.add_argument("--resamplings", type=int, default=1000, help="of the bootstrap")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(f"| {' | '.join(TITLES)} |", "|---" * len(TITLES) + "|", sep="\n")
    for part in options.parts:
        print(part_row(part, options.folder, options), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
