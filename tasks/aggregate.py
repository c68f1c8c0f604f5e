"""Aggregate: LNAMD of one block at one layer and degree as stored features, for those who want to keep them."""

from typing import Any

import torch

from musc.lnamd import aggregate
from musc.plan.partition import CHUNK_IMAGES
from storage.artefacts import is_complete
from storage.results.features import ArraySpec, LotFeatures, layer_name, writing_block
from storage.store import Store
from tasks.planning.specs import AggregateOrder


def aggregate_block(order: AggregateOrder) -> dict[str, Any]:
    """Make sure the aggregated features of one block are stored.

    Returns:
        `key` of the aggregated block.
    """
    store = Store(order.store)
    if not is_complete(store, order.path):
        write_aggregated(store, order)
    return {"key": order.key}


def write_aggregated(store: Store, order: AggregateOrder) -> None:
    """Read a block's usable images chunk by chunk, aggregate and store them; excluded images are left out."""
    features = LotFeatures(store, (order.block,))
    name = layer_name(order.layer)
    with writing_block(
        store,
        order.path,
        image_count=len(features),
        arrays={name: ArraySpec(features.token_shape(order.layer), "float16")},
        chunk_images=CHUNK_IMAGES,
        attributes={"features": order.block, "degree": order.degree},
    ) as draft:
        for start in range(0, len(features), CHUNK_IMAGES):
            stop = min(start + CHUNK_IMAGES, len(features))
            tokens = torch.from_numpy(features.patch_tokens(order.layer, start, stop))
            draft.write(start, {name: aggregate(tokens, order.grid, order.degree).half().numpy()})
