"""A subset of a lot, divided into shards, is scored as the lot it would be by itself."""

from pathlib import Path

import pytest
import torch

from musc.layers import Layer
from musc.lnamd import aggregate
from musc.mutual import mutual_scores
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shards import Shard
from planning.task_specs import ScoreSpec
from storage.results.features import ArraySpec, writing_block
from storage.store import Store
from tasks.score import shard_scores

GRID, WIDTH = (2, 3), 5
FIRST, LAST = 4, 11
DEGREES = (1, 3)


@pytest.mark.parametrize("pooled", [False, True])
def test_divided_subset_scores_as_a_lot_of_its_own(tmp_path: Path, pooled: bool) -> None:
    torch.manual_seed(2)
    tokens = torch.randn(13, 6, WIDTH).half()
    store = Store(str(tmp_path))
    arrays = {"layer_07": ArraySpec((6, WIDTH), "float16")}
    with writing_block(store, "block", image_count=13, arrays=arrays, chunk_images=8, attributes={}) as staging:
        staging.write(0, {"layer_07": tokens[:8].numpy()})
        staging.write(8, {"layer_07": tokens[8:].numpy()})

    def score(start: int, stop: int) -> torch.Tensor:
        spec = ScoreSpec(
            "key",
            "lot",
            store.url,
            ("block",),
            LayerComparison(Layer(7, GRID, WIDTH), DEGREES, pooled=pooled, device="cpu"),
            (FIRST, LAST),
            Shard(7, start, stop),
            (0.0, 0.5),
        )
        return shard_scores(spec)

    divided = torch.cat([score(4, 6), score(6, 9), score(9, 11)])
    each = [mutual_scores(aggregate(tokens[FIRST:LAST], GRID, degree), (0.0, 0.5)) for degree in DEGREES]
    expected = torch.stack(each).mean(dim=0)
    torch.testing.assert_close(divided, expected, atol=1e-6, rtol=0)
