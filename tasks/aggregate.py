"""Aggregate: LNAMD of one block at one layer and degree as stored features, for those who want to keep them.

They are stored in float32, which shards compute with, so that a shard that reads them gives the same scores.
"""

import torch

from musc.backbones import choose_device
from musc.lnamd import aggregate
from musc.plan.chunks_and_blocks import CHUNK_IMAGES
from planning.task_results import StoredArtefact
from planning.task_specs import AggregateSpec
from storage.artefacts import is_complete
from storage.results.features import ArraySpec, LotFeatures, layer_name, writing_block
from storage.store import Store


def aggregate_block(spec: AggregateSpec) -> StoredArtefact:
    """Make sure the aggregated features of one block are stored."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        write_aggregated(store, spec)
    return StoredArtefact(path=spec.path)


def write_aggregated(store: Store, spec: AggregateSpec) -> None:
    """Read a block's usable images chunk by chunk, aggregate and store them; excluded images are left out."""
    features, device = LotFeatures(store, (spec.block,)), choose_device(spec.device)
    name = layer_name(spec.layer)
    with writing_block(
        store,
        spec.path,
        image_count=len(features),
        arrays={name: ArraySpec(features.token_shape(spec.layer), "float32")},
        chunk_images=CHUNK_IMAGES,
        attributes={"features": spec.block, "degree": spec.degree},
    ) as staging:
        for start in range(0, len(features), CHUNK_IMAGES):
            stop = min(start + CHUNK_IMAGES, len(features))
            tokens = torch.from_numpy(features.patch_tokens(spec.layer, start, stop)).to(device)
            staging.write(start, {name: aggregate(tokens, spec.grid, spec.degree).cpu().numpy()})
