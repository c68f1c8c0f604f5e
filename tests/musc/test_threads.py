"""Work spread over threads is all done, once, and torch's own threads are as before."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from musc.mutual import mutual_scores
from musc.threads import for_each

CPU = torch.device("cpu")


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
def test_for_each_visits_every_item_once_on_one_core_each() -> None:
    visited: list[tuple[int, int]] = []
    for_each(lambda item: visited.append((item, torch.get_num_threads())), range(17), CPU)
    assert sorted(visited) == [(item, 1) for item in range(17)]
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_for_each_passes_errors_on_and_restores_threads() -> None:
    def fail(item: int) -> None:
        raise ArithmeticError(f"planted in {item}")

    with pytest.raises(ArithmeticError, match="planted in 0"):
        for_each(fail, range(4), CPU)
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("three_threads")
def test_for_each_leaves_threads_that_start_later_all_cores() -> None:
    for_each(lambda item: None, range(4), CPU)
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == 3


def test_mutual_scores_do_not_depend_on_threads(three_threads: None) -> None:
    torch.manual_seed(4)
    features = torch.nn.functional.normalize(torch.randn(7, 11, 5), dim=-1)
    side_by_side = mutual_scores(features)
    torch.set_num_threads(1)
    torch.testing.assert_close(side_by_side, mutual_scores(features), rtol=0, atol=0)
