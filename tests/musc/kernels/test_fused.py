"""The fused kernel against plain products: results in Triton's interpreter, machine code from Triton's compiler.

Neither needs a GPU. What only a GPU can tell, its speed and whether the compiled code runs, is not tested here.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from musc.mutual import block_scores, mutual_scores

pytest.importorskip("triton", reason="Triton is not installed")

ROOT = Path(__file__).resolve().parents[3]
TILE = (16, 32, 16)


def unit_rows(image_count: int, patch_count: int, width: int, *, opposed: bool = False) -> torch.Tensor:
    """Random unit rows; opposed images have negative similarities throughout."""
    rows = F.normalize(torch.randn(image_count, patch_count, width, generator=torch.Generator().manual_seed(3)), dim=2)
    if opposed:
        rows = rows.abs() * torch.tensor([1.0, -1.0, 1.0, -1.0])[:image_count, None, None]
    return rows


def case(what: str, features: torch.Tensor, dtype: str = "float32", before: float = -np.inf) -> dict:
    return {"what": what, "features": features.tolist(), "dtype": dtype, "before": before, "tile": TILE}


CASES = {
    "whole_tiles": case("symmetric", unit_rows(2, 32, 32)),
    "one_patch_over": case("symmetric", unit_rows(3, 33, 17)),
    "fewer_than_a_tile": case("symmetric", unit_rows(3, 5, 7)),
    "one_patch": case("symmetric", unit_rows(3, 1, 16)),
    "lone_image": case("symmetric", unit_rows(1, 5, 7)),
    "negative_similarities": case("symmetric", unit_rows(2, 18, 16, opposed=True)),
    "values_from_before": case("symmetric", unit_rows(3, 5, 16), before=7.0),
    "float16": case("symmetric", unit_rows(3, 37, 24), "float16"),
    "bfloat16": case("symmetric", unit_rows(3, 37, 24), "bfloat16"),
    "directed": case("directed", unit_rows(4, 37, 24)),
    "directed_values_from_before": case("directed", unit_rows(3, 5, 16), before=7.0),
    "directed_negative_similarities": case("directed", unit_rows(4, 5, 16, opposed=True), "bfloat16"),
    "scores": case("scores", unit_rows(5, 9, 24), "float16"),
}


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    return done  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What the kernel finds in every case."""
    found = tmp_path_factory.mktemp("fused") / "found.npz"
    program = str(Path(__file__).with_name("fused_in_interpreter.py"))
    run([sys.executable, program, str(found)], input=json.dumps(CASES))
    with np.load(found) as arrays:
        return dict(arrays)


def expected(case: dict) -> np.ndarray:
    """Largest products in float64, and what was there before where the kernel has no business."""
    features = torch.tensor(case["features"]).to(getattr(torch, case["dtype"]))
    if case["what"] == "scores":
        return mutual_scores(features.float()).numpy()
    largest = torch.einsum("ipc,jqc->ijpq", features.double(), features.double()).amax(dim=3)
    count = len(features)
    if case["what"] == "directed":
        return largest[:2, 2:].numpy()
    nearest = torch.full((count, count + 3, features.shape[1]), case["before"], dtype=torch.float64)
    largest.diagonal(dim1=0, dim2=1).fill_(case["before"])
    nearest[:, 2 : 2 + count] = largest
    return nearest.numpy()


@pytest.mark.parametrize("name", CASES)
def test_fused_finds_the_largest_products(interpreted: dict[str, np.ndarray], name: str) -> None:
    # Scores of float16 features: distances near 0 feel the order in which float32 sums are taken.
    tolerance = 1e-5 if name == "scores" else 1e-6
    np.testing.assert_allclose(interpreted[name], expected(CASES[name]), atol=tolerance, rtol=0)


COMPILE = """
import triton, sys
from triton.compiler import ASTSource
from triton.backends.compiler import GPUTarget
from musc.kernels.fused import TILE, write_maxima
kinds = {"queries": "*bf16", "references": "*bf16", "nearest": "*fp32", "pairs": "*i64"}
chosen = {"tile_rows": TILE.rows, "tile_columns": TILE.columns, "depth": TILE.depth, "symmetric": 1, "widened": 0}
signature = {name: "constexpr" if name in chosen else kinds.get(name, "i32") for name in write_maxima.arg_names}
aligned = {(write_maxima.arg_names.index(name),): [["tt.divisibility", 16]] for name in (*kinds, "width")}
source = ASTSource(write_maxima, signature, constexprs=chosen, attrs=aligned)
options = {"num_warps": TILE.warp_count, "num_stages": TILE.stage_count}
kernel = triton.compile(source, target=GPUTarget("cuda", int(sys.argv[1]), 32), options=options)
print(kernel.asm["ptx"].count(sys.argv[2]), kernel.asm["ptx"].count(".local"), kernel.metadata.shared)
"""


def test_fused_compiles_to_matrix_instructions_of_hopper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    printed = run([sys.executable, "-c", COMPILE, "90", "wgmma.mma_async"]).stdout
    instructions, spilled, shared_bytes = map(int, printed.split())
    assert instructions > 0
    assert spilled == 0
    assert shared_bytes <= 227 * 1024


def test_fused_refuses_features_on_the_processor() -> None:
    with pytest.raises(ValueError, match="fused products must be made on a GPU, got features on cpu; leave out"):
        mutual_scores(unit_rows(2, 5, 7), fused=True)


def test_fused_refuses_excluded_patches() -> None:
    features, excluded = unit_rows(2, 5, 7), torch.zeros(2, 5, dtype=torch.bool)
    excluded[0, :3] = True
    with pytest.raises(ValueError, match="fused products must be of all patches, got 3 excluded ones; leave out"):
        block_scores(features, 0, (), 2, (0.0, 0.3), excluded, fused=True)


def test_fused_refuses_a_window() -> None:
    with pytest.raises(ValueError, match="fused products must be of all patches, got a window; leave out"):
        mutual_scores(unit_rows(2, 6, 7), window=1, grid=(2, 3), fused=True)


def test_plain_scoring_imports_no_triton() -> None:
    program = (
        "import sys, torch; from musc.mutual import mutual_scores; mutual_scores(torch.eye(4).view(2, 2, 4)); "
        "print('triton' in sys.modules)"
    )
    assert run([sys.executable, "-c", program]).stdout.split()[-1] == "False"
