"""Products by oneDNN against float64, and that scoring uses them."""

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from musc.kernels.matrix_products import fill_directed, fill_symmetric
from musc.kernels.onednn_products import is_available, multiply_into, multiply_short, part_width
from musc.kernels.precision import multiply_into as multiply_by_any
from musc.lnamd import pool
from musc.mutual import mutual_scores

CPU = torch.device("cpu")
needs_onednn = pytest.mark.skipif(not is_available(torch.float32, CPU), reason="this torch has no MKL or no oneDNN")


def rows(count: int, width: int, seed: int) -> torch.Tensor:
    values = torch.randn(count, width, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(values, dim=1)


def exact(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    return left.double() @ right.double().T


@needs_onednn
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 40, 7), (401, 40, 33), (16, 192, 16)])
def test_short_sums_oracle(shape: tuple[int, int, int]) -> None:
    left, right = rows(shape[0], shape[1], 1), rows(shape[2], shape[1], 2)
    found = multiply_short(left, right)
    assert found.is_contiguous()
    torch.testing.assert_close(found.double(), exact(left, right), atol=2e-7, rtol=0)


@needs_onednn
@pytest.mark.parametrize("width", [1, 40, 192, 193, 320, 383, 384, 385, 1024])
@pytest.mark.parametrize("height", [3, 400, 401])
def test_sums_in_parts_oracle(width: int, height: int) -> None:
    left, right = rows(height, width, 1), rows(9, width, 2)
    room = torch.full((height, 16), 7.0)
    multiply_into(left, right, room[:, :9])
    torch.testing.assert_close(room[:, :9].double(), exact(left, right), atol=2e-7, rtol=0)
    assert (room[:, 9:] == 7).all()


@needs_onednn
@pytest.mark.parametrize("stride", [2, 5])
def test_rows_that_lie_apart_are_multiplied(stride: int) -> None:
    left, right = rows(12, 40, 1)[::stride], rows(20, 40, 2)[::stride]
    torch.testing.assert_close(multiply_short(left, right).double(), exact(left, right), atol=2e-7, rtol=0)


@pytest.mark.parametrize("width", [1, 191, 192, 193, 320, 383, 384, 1000])
def test_parts_are_whole_or_halves_or_as_long_as_they_may_be(width: int) -> None:
    step = part_width(width)
    assert 0 < step <= 192
    assert len(range(0, width, step)) == max(1 if width <= 192 else 2, -(-width // 192))


def test_other_kinds_of_rows_are_multiplied_by_torch() -> None:
    assert not is_available(torch.float64, CPU)
    assert not is_available(torch.float32, torch.device("cuda"))
    left, right = rows(4, 10, 1).double(), rows(6, 10, 2).double()
    out = torch.empty(4, 6, dtype=torch.float64)
    multiply_by_any(left, right, out)
    torch.testing.assert_close(out, exact(left, right))


def operators_of_scoring(width: int, pooled: bool) -> set[str]:
    """Names of torch's operators that scoring a few images calls."""
    features = torch.stack([rows(36, width, seed) for seed in range(3)])
    nearest = torch.full((3, 3, 36), -torch.inf)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        if pooled:
            mutual_scores(pool(features, (6, 6), (1, 3)))
        else:
            fill_directed(nearest, features, features)
            fill_symmetric(nearest, features)
    return {event.key for event in seen.key_averages()}


@needs_onednn
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("width", [40, 320])
def test_scoring_multiplies_by_onednn(monkeypatch: pytest.MonkeyPatch, width: int, pooled: bool) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)  # the profiler sees the threads that began before it
    found = operators_of_scoring(width, pooled)
    assert "aten::mkldnn_convolution" in found
    assert "aten::mm" not in found
