"""Patch scores of a lot are the mean of its shards, whatever the grid of each."""

from pathlib import Path

import numpy as np
import pytest
import torch

from musc.layers import BackboneSpec, Layer
from musc.maps import anomaly_maps
from musc.plan.shards import Shard
from planning.task_specs import RunSpec
from storage.results.patch_scores import write_shard
from storage.store import Store
from tasks.write_run import average_shards
from tests.flat import chosen, job_of

N, DEGREES = 5, (1, 3, 5)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def order_of(store: Store, layers: tuple[Layer, ...], shards: list[Shard]) -> RunSpec:
    job = job_of(
        store=store.url,
        settings=chosen(backbone="net", degrees=DEGREES),
        backbone=BackboneSpec("net", "tag", "digest-1", (48, 32), layers, 7),
    )
    scored = tuple((shard, f"patch_scores/{place}") for place, shard in enumerate(shards))
    return RunSpec("", "cap", store.url, job, "lot", (), scored)


def write_scores(store: Store, spec: RunSpec) -> dict[int, np.ndarray]:
    """Random scores of each layer, float32 (N, rows, columns), stored shard by shard."""
    random = np.random.default_rng(4)
    scores = {layer.number: random.random((N, *layer.grid), dtype=np.float32) for layer in spec.job.backbone.layers}
    for shard, path in spec.shards:
        write_shard(store, path, scores[shard.layer][shard.start : shard.stop], {})
    return scores


def test_average_of_layers_on_their_own_grids_is_that_of_scores_resized_to_the_finest(store: Store) -> None:
    layers = (Layer(2, (6, 4), 11), Layer(4, (3, 2), 17))
    spec = order_of(store, layers, [Shard(2, 0, 2), Shard(2, 2, N), Shard(4, 0, N)])
    scores = write_scores(store, spec)
    expected = np.zeros((N, 6, 4))
    for layer in layers:
        patches = torch.from_numpy(scores[layer.number]).flatten(1)
        expected += anomaly_maps(patches, layer.grid, (6, 4)).double().numpy() / 2
    found = average_shards(store, spec.shards, spec.job.backbone.grid, N)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_average_of_layers_alike_is_to_the_bit_that_of_their_scores_in_float64(store: Store) -> None:
    layers = (Layer(2, (3, 5), 11), Layer(5, (3, 5), 11))
    spec = order_of(store, layers, [Shard(layer.number, 0, N) for layer in layers])
    scores = write_scores(store, spec)
    total = np.zeros((N, 3, 5))
    for of_one in scores.values():
        total += of_one.astype(np.float64)
    expected = (total / 2).astype(np.float32)
    np.testing.assert_array_equal(average_shards(store, spec.shards, spec.job.backbone.grid, N), expected, strict=True)
