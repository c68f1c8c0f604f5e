"""Score: mutual scoring of one shard, LNAMD applied while features are loaded."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import torch
import torch.nn.functional as F

from musc.backbones import choose_device
from musc.lnamd import aggregate
from musc.mutual import block_scores
from musc.plan import CHUNK_IMAGES
from storage.artefacts import is_complete
from storage.features import LotFeatures
from storage.groups import read_groups
from storage.patch_scores import write_shard
from storage.store import Store
from tasks.caching import cached_task
from tasks.orders import ScoreOrder
from tasks.shortage import in_parts_or


@cached_task("score")
def score_shard(order: ScoreOrder) -> dict[str, Any]:
    """Make sure the patch scores of one shard are stored.

    Returns:
        `key` of the shard.
    """
    store = Store(order.store)
    if not is_complete(store, order.path):
        scores = fitting_scores(order, LotFeatures(store, order.blocks))
        cells = scores.view(-1, *order.grid).cpu().numpy()
        write_shard(store, order.path, cells, {**asdict(order.shard), "interval": list(order.interval)})
    return {"key": order.key}


def fitting_scores(order: ScoreOrder, features: LotFeatures) -> torch.Tensor:
    """Patch scores of a shard, float32 (n, P): in query blocks as large as memory holds, at last on the processor."""

    def on_device(start: int, stop: int) -> torch.Tensor:
        return shard_scores(replace(order, shard=replace(order.shard, start=start, stop=stop)), features).cpu()

    def on_processor(start: int, stop: int) -> torch.Tensor:
        return shard_scores(replace(order, device="cpu"), features)

    return torch.cat(in_parts_or(on_processor, on_device, order.shard.start, order.shard.stop))


def shard_scores(order: ScoreOrder, features: LotFeatures) -> torch.Tensor:
    """Patch scores of a shard's query images: float32 (n, P)."""
    queries, references = load_shard(order, features)
    first, last = order.lot_range
    excluded = None
    if order.groups is not None:
        _, shared = read_groups(Store(order.store), order.groups, queries.shape[1])
        excluded = torch.from_numpy(shared)
    return block_scores(queries, order.shard.start - first, references, last - first, order.interval, excluded)


def load_shard(order: ScoreOrder, features: LotFeatures) -> tuple[torch.Tensor, Iterator[tuple[int, torch.Tensor]]]:
    """Unit-norm features of a shard's query images, (n, P, C), and its references as `block_scores` takes them."""
    (first, last), start, stop = order.lot_range, order.shard.start, order.shard.stop
    shape = (stop - start, *features.token_shape(order.shard.layer))
    queries = torch.empty(shape, device=choose_device(order.device))
    for position, chunk in loaded_chunks(order, features, start, stop):
        queries[position - start : position - start + len(chunk)] = chunk
    references = (
        (position - first, chunk)
        for outside in ((first, start), (stop, last))
        for position, chunk in loaded_chunks(order, features, *outside)
    )
    return queries, references


def loaded_chunks(
    order: ScoreOrder, features: LotFeatures, start: int, stop: int
) -> Iterator[tuple[int, torch.Tensor]]:
    """Unit-norm features of images [start, stop), a storage chunk at a time, each with its position in the lot."""
    device = choose_device(order.device)
    for first in range(start, stop, CHUNK_IMAGES):
        last = min(first + CHUNK_IMAGES, stop)
        tokens = torch.from_numpy(features.patch_tokens(order.shard.layer, first, last)).to(device)
        if order.aggregated:
            yield first, F.normalize(tokens.float(), dim=-1)
        else:
            yield first, aggregate(tokens, order.grid, order.shard.degree)
