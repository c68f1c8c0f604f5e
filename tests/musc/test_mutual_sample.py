"""A sample of references, against plain loops in float64 and the laws it obeys."""

import hashlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from musc.mutual import block_scores, mutual_scores
from musc.plan.sample import draw_sample, sample_size

N, P, WIDTH = 17, 5, 7
INTERVAL = (0.0, 0.5)
CONTENTS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(N)]


@pytest.fixture
def features() -> torch.Tensor:
    return F.normalize(torch.randn(N, P, WIDTH, generator=torch.Generator().manual_seed(5)), dim=2)


def looped_scores(features: torch.Tensor, sample: tuple[int, ...], high: int) -> np.ndarray:
    """(N, P): against all of the sample but the image itself, or but the last drawn."""
    values = features.numpy().astype(np.float64)
    scores = np.zeros(values.shape[:2])
    for query, patch in np.ndindex(*scores.shape):
        left_out = query if query in sample else sample[-1]
        others = [values[other] for other in sample if other != left_out]
        nearest = sorted(min(np.sqrt(((values[query, patch] - one) ** 2).sum()) for one in other) for other in others)
        scores[query, patch] = np.mean(nearest[:high])
    return scores


@pytest.mark.parametrize("count", [1, 2, 6, 15])
@pytest.mark.parametrize("seed", [0, 1])
def test_sample_oracle(features: torch.Tensor, count: int, seed: int) -> None:
    sample = draw_sample(CONTENTS, count, seed)
    assert sample is not None
    ours = mutual_scores(features, INTERVAL, sample=sample)
    np.testing.assert_allclose(ours, looped_scores(features, sample, max(1, count // 2)), atol=1e-5)


@pytest.mark.parametrize("count", [16, 17, 1000, None])
def test_sample_of_all_others_is_the_full_method(count: int | None) -> None:
    assert draw_sample(CONTENTS, count, 0) is None


def test_sample_permuted_lot_permutes_scores(features: torch.Tensor) -> None:
    order = torch.randperm(N, generator=torch.Generator().manual_seed(6)).tolist()
    permuted = mutual_scores(features[order], sample=draw_sample([CONTENTS[image] for image in order], 6, 3))
    expected = mutual_scores(features, sample=draw_sample(CONTENTS, 6, 3))[order]
    torch.testing.assert_close(permuted, expected, atol=1e-6, rtol=0)


def test_sample_depends_on_the_seed() -> None:
    assert draw_sample(CONTENTS, 6, 0) == draw_sample(CONTENTS, 6, 0)
    assert len({draw_sample(CONTENTS, 6, seed) for seed in range(20)}) == 20


def test_sample_grows_by_what_follows() -> None:
    small, large = draw_sample(CONTENTS, 5, 0), draw_sample(CONTENTS, 9, 0)
    assert small is not None
    assert large is not None
    assert large[: len(small)] == small
    assert len(small) == sample_size(N, 5) == 6


def test_sample_draws_every_image_about_equally_often() -> None:
    drawn = np.bincount([image for seed in range(600) for image in draw_sample(CONTENTS, 4, seed) or ()], minlength=N)
    assert drawn.sum() == 3000
    expected = 3000 / N
    assert abs(drawn - expected).max() < 5 * np.sqrt(expected)


@pytest.mark.parametrize("count", [0, -1])
def test_sample_refuses_no_reference(count: int) -> None:
    with pytest.raises(ValueError, match=f"references must be at least 1 image, got {count}"):
        draw_sample(CONTENTS, count, 0)


@pytest.mark.parametrize("spare", [None, -1, 3])
def test_queries_outside_the_references_need_a_spare(features: torch.Tensor, spare: int | None) -> None:
    with pytest.raises(ValueError, match=f"spare must be .* 2 queries outside the 3 references .* got {spare}"):
        block_scores(features[:5], 0, (), 3, INTERVAL, inside=3, spare=spare)
