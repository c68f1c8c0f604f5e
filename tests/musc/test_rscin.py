"""RsCIN against plain loops, and the laws it obeys."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import musc.rscin
from musc.rscin import rescore

LAW = settings(max_examples=25, deadline=None, database=None)
seeds = st.integers(0, 2**31)
lot_sizes = st.integers(2, 13)
windows = st.lists(st.integers(1, 15), min_size=1, max_size=3).map(tuple)


def lot(seed: int, image_count: int, width: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores and class tokens that all point into one half of the space, as a backbone's do."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(image_count, width, generator=generator, dtype=torch.float64)
    tokens[:, 0] = 4
    return torch.rand(image_count, generator=generator, dtype=torch.float64), F.normalize(tokens, dim=1)


def looped_rescore(scores: np.ndarray, tokens: np.ndarray, rscin_windows: tuple[int, ...]) -> np.ndarray:
    """The definition in float64, one image and one window at a time."""
    scaled = [(score - min(scores)) / (max(scores) - min(scores)) for score in scores]
    result = np.zeros(len(scores))
    for image in range(len(scores)):
        weights = [float(sum(a * b for a, b in zip(tokens[image], other, strict=True))) for other in tokens]
        nearest = sorted(range(len(scores)), key=lambda other: -weights[other])
        means = []
        for size in rscin_windows:
            kept = nearest[:size]
            total = sum(weights[other] for other in kept)
            means.append(sum(weights[other] / total * scaled[other] for other in kept))
        result[image] = sum(means) / len(means)
    return result


@pytest.mark.parametrize("rscin_windows", [(1, 2, 3), (1, 8, 9), (2, 3), (5,), (3, 1)])
@pytest.mark.parametrize("image_count", [2, 3, 11])
def test_rescore_oracle(image_count: int, rscin_windows: tuple[int, ...]) -> None:
    scores, tokens = lot(1, image_count)
    expected = looped_rescore(scores.numpy(), tokens.numpy(), rscin_windows)
    np.testing.assert_allclose(rescore(scores, tokens, rscin_windows), expected, atol=1e-9)


def test_rescore_window_1_only_scales() -> None:
    scores, tokens = lot(2, 7)
    expected = (scores - scores.min()) / (scores.max() - scores.min())
    torch.testing.assert_close(rescore(scores, tokens, (1,)), expected)


def test_rescore_equal_scores_give_zeros() -> None:
    _, tokens = lot(3, 5)
    assert torch.equal(rescore(torch.full((5,), 0.7), tokens), torch.zeros(5, dtype=torch.float64))


def test_rescore_window_larger_than_lot_is_the_whole_lot() -> None:
    scores, tokens = lot(4, 5)
    assert torch.equal(rescore(scores, tokens, (1, 50)), rescore(scores, tokens, (1, 5)))


def test_rescore_pulls_a_lone_score_towards_its_twins() -> None:
    tokens = F.normalize(torch.tensor([[1.0, 0.1], [1.0, 0.1], [0.1, 1.0], [0.1, 1.0]]), dim=1)
    np.testing.assert_allclose(rescore(torch.tensor([1.0, 0.0, 0.0, 0.0]), tokens, (2,)), [0.5, 0.5, 0, 0], atol=1e-7)


@LAW
@given(seed=seeds, image_count=lot_sizes, rscin_windows=windows)
def test_rescore_stays_between_0_and_1(seed: int, image_count: int, rscin_windows: tuple[int, ...]) -> None:
    ours = rescore(*lot(seed, image_count), rscin_windows)
    assert bool(((ours >= 0) & (ours <= 1 + 1e-12)).all())


@LAW
@given(seed=seeds, image_count=lot_sizes, rscin_windows=windows)
def test_rescore_permuted_lot_permutes_scores(seed: int, image_count: int, rscin_windows: tuple[int, ...]) -> None:
    scores, tokens = lot(seed, image_count)
    order = torch.randperm(image_count, generator=torch.Generator().manual_seed(seed))
    ours = rescore(scores[order], tokens[order], rscin_windows)
    torch.testing.assert_close(ours, rescore(scores, tokens, rscin_windows)[order])


@LAW
@given(seed=seeds, image_count=lot_sizes, scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_rescore_ignores_scale_and_shift_of_scores(seed: int, image_count: int, scale: float, shift: float) -> None:
    scores, tokens = lot(seed, image_count)
    torch.testing.assert_close(rescore(scores * scale + shift, tokens), rescore(scores, tokens), atol=1e-9, rtol=0)


@pytest.mark.parametrize("rows_at_once", [1, 3, 7, 11, 100])
def test_rescore_rows_at_once_do_not_matter(monkeypatch: pytest.MonkeyPatch, rows_at_once: int) -> None:
    scores, tokens = lot(5, 11)
    expected = rescore(scores, tokens)
    monkeypatch.setattr(musc.rscin, "ROWS_AT_ONCE", rows_at_once)
    torch.testing.assert_close(rescore(scores, tokens), expected)


@pytest.mark.parametrize("rscin_windows", [(), (0,), (1, -2, 3)])
def test_rescore_refuses_windows_without_neighbour(rscin_windows: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="rscin_windows must be positive counts of images, got"):
        rescore(*lot(6, 3), rscin_windows)


@pytest.mark.parametrize("shapes", [((3,), (5, 7)), ((3, 1), (3, 7)), ((3,), (3,))])
def test_rescore_refuses_unlike_lengths(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=r"image_scores \(N,\) and class_tokens \(N, D\) must be of one length"):
        rescore(torch.ones(shapes[0]), torch.ones(shapes[1]))


@pytest.mark.parametrize("where", ["scores", "tokens"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_rescore_refuses_non_finite_values(where: str, value: float) -> None:
    scores, tokens = lot(7, 3)
    (scores if where == "scores" else tokens)[0] = value
    with pytest.raises(ValueError, match="image_scores and class_tokens must be finite"):
        rescore(scores, tokens)


def test_rescore_refuses_an_image_without_neighbours() -> None:
    tokens = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match=r"got none for 1 of 3 images \(first at \[1\]\)"):
        rescore(torch.tensor([0.1, 0.2, 0.3]), tokens)
