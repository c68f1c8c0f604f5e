"""How long mutual scoring takes here, from a short trial of every kind of layer. On a CPU no torch is loaded for it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations

import numpy as np
from threadpoolctl import threadpool_limits

from musc.backbones.devices import device_type, thread_count
from musc.grids import row_bands
from musc.layers import Layer
from musc.plan.cost import ProjectedCost, pair_count
from musc.plan.layer_comparison import LayerComparison
from musc.plan.pooling import pair_operations

TRIAL_IMAGES = 4
TRIAL_SECONDS = 0.5
BLOCK_ROWS = 400
"""Query patches multiplied at once, so that their similarities stay near the CPU, as in scoring."""


def scoring_seconds(plan: ProjectedCost) -> float:
    """How long mutual scoring takes, from a short trial of every kind of layer on the job's device."""
    kinds = {(one.grid, one.layer.width): one for one in plan.comparisons}
    rates = {kind: scoring_rate(comparison) for kind, comparison in kinds.items()}
    counts = zip(plan.layers, plan.layer_operations, strict=True)
    return sum(count / rates[layer.grid, layer.width] for layer, count in counts)


def scoring_rate(comparison: LayerComparison) -> float:
    """Operations per second of mutual scoring at one degree, measured on a few random images for about a second.

    Where degrees are pooled, their sums are counted as operations too.
    """
    layer, match_radius, device = comparison.layer, comparison.match_radius, comparison.device
    rng = np.random.default_rng(0)
    tokens = rng.standard_normal((TRIAL_IMAGES, layer.patch_count, layer.width), dtype=np.float32)
    tokens /= np.linalg.norm(tokens, axis=-1, keepdims=True)
    on_cpu = device_type(device) == "cpu"
    trial = trial_on_cpu(tokens, layer, match_radius) if on_cpu else trial_on_gpu(tokens, layer, match_radius, device)
    trial()
    seconds = [time_call(trial)]
    while sum(seconds) < TRIAL_SECONDS:
        seconds.append(time_call(trial))
    pairs = pair_count(TRIAL_IMAGES, TRIAL_IMAGES, TRIAL_IMAGES)
    operations = pairs * pair_operations(replace(comparison, degrees=(1,), pooled=False))
    return operations / min(seconds)  # other programs disturb most of the runs of a busy machine


def trial_on_cpu(tokens: np.ndarray, layer: Layer, match_radius: int | None) -> Callable[[], None]:
    """Products of all pairs and their maxima both ways, side by side, as `musc.kernels.matrix_products` makes them."""
    rows, columns = layer.grid
    bands = [(0, rows, 0, rows)] if match_radius is None else row_bands(layer.grid, match_radius)
    parts = [
        (slice(first, min(first + BLOCK_ROWS, stop * columns)), slice(low * columns, high * columns))
        for start, stop, low, high in bands
        for first in range(start * columns, stop * columns, BLOCK_ROWS)
    ]

    def compare(pair: tuple[np.ndarray, np.ndarray]) -> None:
        for queries, references in parts:
            similarities = pair[0][queries] @ pair[1][references].T
            similarities.max(axis=1)
            similarities.max(axis=0)

    def trial_run() -> None:
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(thread_count()) as threads:
            list(threads.map(compare, combinations(tokens, 2)))

    return trial_run


def trial_on_gpu(tokens: np.ndarray, layer: Layer, match_radius: int | None, device: str) -> Callable[[], None]:
    """Scoring itself on a GPU."""
    import torch

    from musc.backbones.devices import choose_device
    from musc.mutual import mutual_scores

    features = torch.from_numpy(tokens).to(choose_device(device))

    def trial_run() -> None:
        mutual_scores(features, match_radius=match_radius, grid=layer.grid).cpu()  # which waits for a GPU

    return trial_run


def time_call(action: Callable[[], None]) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
