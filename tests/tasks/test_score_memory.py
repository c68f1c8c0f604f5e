"""A lot whose nearest distances are ten times the budget is scored within the budget, as the process really uses it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from musc.layers import Layer
from musc.lnamd import aggregate
from musc.mutual import block_scores
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shard_memory import FLOAT32_BYTES
from musc.plan.shards import plan_shards
from storage.results.features import ArraySpec, writing_block
from storage.store import Store

ROOT = Path(__file__).resolve().parents[2]
N, GRID, C = 350, (16, 16), 16
DEGREES = (1, 3)
P = GRID[0] * GRID[1]
NEAREST_BYTES = N * P * N * FLOAT32_BYTES
BUDGET_BYTES = NEAREST_BYTES // 10
KEPT_BYTES = 2**22
"""Pieces up to this size may be used again, as products are, which would else take most of the time."""
RETURNING = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(KEPT_BYTES),
    "MALLOC_TRIM_THRESHOLD_": str(KEPT_BYTES),
}
"""glibc gives larger pieces back as soon as they are freed, so that what is resident is what is held."""

SCORING = """
import json, re, sys
from pathlib import Path
import numpy as np
import torch
from musc.layers import Layer
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shards import Shard
from planning.task_specs import ScoreSpec
from tasks.score import shard_scores

def peak_bytes():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

torch.set_num_threads(1)
store, bounds, count, grid, width, degrees, pooled = json.loads(sys.argv[1])

def score(start, stop):
    shard = Shard(2, start, stop)
    comparison = LayerComparison(Layer(2, tuple(grid), width), tuple(degrees), pooled)
    spec = ScoreSpec("key", "lot", store, ("block",), comparison, (0, count), shard, (0.0, 0.3))
    return shard_scores(spec)

score(0, 2)  # what is loaded once for all shards,
score(*bounds[1])  # and its pages, at full size with references before and behind
Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
before = peak_bytes()
scores = np.concatenate([score(start, stop).numpy() for start, stop in bounds])
print(json.dumps({"peak_bytes": peak_bytes() - before}))
np.save(Path(store) / "scores.npy", scores)
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.Tensor]:
    folder = tmp_path_factory.mktemp("store")
    torch.manual_seed(1)
    tokens = F.normalize(torch.randn(N, P, C), dim=-1).half()
    arrays = {"layer_02": ArraySpec((P, C), "float16")}
    store = Store(str(folder))
    with writing_block(store, "block", image_count=N, arrays=arrays, chunk_images=8, attributes={}) as staging:
        for start in range(0, N, 8):
            staging.write(start, {"layer_02": tokens[start : start + 8].numpy()})
    return folder, tokens


def in_memory(tokens: torch.Tensor, start: int, stop: int) -> torch.Tensor:
    """Scores of some images against all others, which are at hand at once: (stop − start, P)."""
    scores = []
    for degree in DEGREES:
        compared = aggregate(tokens, GRID, degree)
        others = [(0, compared[:start]), (stop, compared[stop:])]
        given = [(first, rows) for first, rows in others if len(rows)]
        scores.append(block_scores(compared[start:stop], start, given, N, (0.0, 0.3)))
    return torch.stack(scores).mean(dim=0)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from Linux's /proc")
@pytest.mark.parametrize("pooled", [False, True], ids=["products", "pooled"])
def test_lot_beyond_the_budget_stays_within_it(stored: tuple[Path, torch.Tensor], pooled: bool) -> None:
    folder, tokens = stored
    comparison = LayerComparison(Layer(2, GRID, C), DEGREES, pooled)
    shards = plan_shards(N, [comparison], memory_bytes=BUDGET_BYTES)
    assert len(shards) > 10
    measured = (shards[0], shards[len(shards) // 2], shards[-1])  # references behind, on both sides, before
    bounds = [(shard.start, shard.stop) for shard in measured]
    given = json.dumps([str(folder), bounds, N, GRID, C, DEGREES, pooled])
    done = subprocess.run(
        [sys.executable, "-c", SCORING, given],
        cwd=ROOT,
        env={**os.environ, **RETURNING},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    peak = json.loads(done.stdout)["peak_bytes"]
    print(
        f"budget {BUDGET_BYTES / 1e6:.1f} MB, peak {peak / 1e6:.1f} MB, nearest distances {NEAREST_BYTES / 1e6:.0f} MB"
    )
    assert 0 < peak <= BUDGET_BYTES
    expected = np.concatenate([in_memory(tokens, start, stop) for start, stop in bounds])
    np.testing.assert_allclose(np.load(folder / "scores.npy"), expected, atol=1e-6)
