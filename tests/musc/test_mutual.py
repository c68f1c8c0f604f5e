"""Mutual scoring against plain loops, and the laws it obeys."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import musc.kernels.matrix_products
from musc.kernels.matrix_products import fill_directed, fill_symmetric
from musc.mutual import block_scores, interval_counts, mutual_scores
from musc.option_ranges import Interval

LAW = settings(max_examples=25, deadline=None, database=None)
PATCHES, WIDTH = 5, 7
ROUNDING = 2e-3
"""Identical unit rows have similarity 1 up to float32 rounding e, so distance √(2e) instead of 0."""

seeds = st.integers(0, 2**31)
lot_sizes = st.integers(2, 11)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = sorted(draw(st.lists(st.integers(0, 20), min_size=2, max_size=2, unique=True)))
    return low / 20, high / 20


def unit_rows(seed: int, image_count: int, patch_count: int = PATCHES, width: int = WIDTH) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(image_count, patch_count, width, generator=generator), dim=2)


def looped_distances(features: np.ndarray) -> np.ndarray:
    """Nearest distances in float64: (N, P, C) -> (N, P, N), NaN to the image itself."""
    image_count, patch_count, _ = features.shape
    nearest = np.full((image_count, patch_count, image_count), np.nan)
    for query in range(image_count):
        for patch in range(patch_count):
            for other in range(image_count):
                if other != query:
                    gaps = [np.sqrt(((features[query, patch] - one) ** 2).sum()) for one in features[other]]
                    nearest[query, patch, other] = min(gaps)
    return nearest


def looped_scores(features: torch.Tensor, low: int, high: int) -> np.ndarray:
    """Means of the ranks [low, high) of the sorted nearest distances: (N, P)."""
    nearest = looped_distances(features.numpy().astype(np.float64))
    scores = np.zeros(nearest.shape[:2])
    for query, patch in np.ndindex(*scores.shape):
        ranked = sorted(value for value in nearest[query, patch] if not np.isnan(value))
        scores[query, patch] = sum(ranked[low:high]) / (high - low)
    return scores


def streamed(features: torch.Tensor, start: int, stop: int, step: int) -> Iterator[tuple[int, torch.Tensor]]:
    """Everything outside [start, stop), `step` images at a time."""
    for first, last in ((0, start), (stop, len(features))):
        for position in range(first, last, step):
            yield position, features[position : min(position + step, last)]


@pytest.mark.parametrize(("image_count", "high"), [(2, 1), (3, 1), (4, 1), (5, 1), (8, 2), (11, 3), (14, 3)])
@pytest.mark.parametrize("patch_count", [9, 10])
def test_mutual_scores_oracle(image_count: int, high: int, patch_count: int) -> None:
    features = unit_rows(image_count, image_count, patch_count)
    np.testing.assert_allclose(mutual_scores(features), looped_scores(features, 0, high), atol=1e-5)


def test_mutual_scores_of_float64_features_oracle() -> None:
    features = unit_rows(6, 8).double()
    np.testing.assert_allclose(mutual_scores(features), looped_scores(features, 0, 2), atol=1e-6)


def test_mutual_scores_low_interval_skips_the_nearest() -> None:
    features = unit_rows(1, 11)
    np.testing.assert_allclose(mutual_scores(features, (0.1, 0.5)), looped_scores(features, 1, 5), atol=1e-5)


def test_mutual_scores_full_interval_is_the_plain_mean() -> None:
    features = unit_rows(2, 7)
    expected = np.nanmean(looped_distances(features.numpy().astype(np.float64)), axis=2)
    np.testing.assert_allclose(mutual_scores(features, (0.0, 1.0)), expected, atol=1e-5)


@pytest.mark.parametrize("columns", [1, 2 * PATCHES, 2 * PATCHES + 1, 10_000])
def test_mutual_scores_product_width_does_not_matter(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    features = unit_rows(3, 8)
    monkeypatch.setattr(musc.kernels.matrix_products, "PRODUCT_COLUMNS", columns)
    np.testing.assert_allclose(mutual_scores(features), looped_scores(features, 0, 2), atol=1e-5)


@pytest.mark.parametrize("rows", [1, 2, 3, PATCHES])
@pytest.mark.parametrize("excluding", [False, True])
def test_fills_in_blocks_of_rows_agree_with_whole_products(
    monkeypatch: pytest.MonkeyPatch, rows: int, excluding: bool
) -> None:
    features = unit_rows(3, 8)
    excluded = torch.rand(8, PATCHES, generator=torch.Generator().manual_seed(1)) < 0.3 if excluding else None
    found = []
    for height in (10**6, rows):
        monkeypatch.setattr(musc.kernels.matrix_products, "ROWS_OF_NARROW", height)
        symmetric, directed = torch.full((8, 8, PATCHES), -torch.inf), torch.full((8, 8, PATCHES), -torch.inf)
        fill_symmetric(symmetric, features, excluded)
        fill_directed(directed, features, features, excluded)
        found.append((symmetric, directed))
    torch.testing.assert_close(found[0], found[1])


@LAW
@given(data=st.data(), seed=seeds, image_count=lot_sizes, interval=intervals())
def test_block_scores_any_division_gives_the_same_scores(
    data: st.DataObject, seed: int, image_count: int, interval: Interval
) -> None:
    features = unit_rows(seed, image_count)
    cuts = data.draw(st.sets(st.integers(1, image_count - 1)))
    step = data.draw(st.integers(1, image_count))
    bounds = [0, *sorted(cuts), image_count]
    parts = [
        block_scores(features[start:stop], start, streamed(features, start, stop, step), image_count, interval)
        for start, stop in pairwise(bounds)
    ]
    torch.testing.assert_close(torch.cat(parts), mutual_scores(features, interval), atol=1e-5, rtol=0)


def test_block_scores_order_of_references_does_not_matter() -> None:
    features = unit_rows(4, 9)
    backwards = list(streamed(features, 3, 5, 2))[::-1]
    ours = block_scores(features[3:5], 3, backwards, 9, (0.0, 0.3))
    torch.testing.assert_close(ours, mutual_scores(features)[3:5], atol=1e-5, rtol=0)


@LAW
@given(seed=seeds, image_count=lot_sizes, interval=intervals())
def test_mutual_scores_permuted_lot_permutes_scores(seed: int, image_count: int, interval: Interval) -> None:
    features = unit_rows(seed, image_count)
    order = torch.randperm(image_count, generator=torch.Generator().manual_seed(seed))
    ours = mutual_scores(features[order], interval)
    torch.testing.assert_close(ours, mutual_scores(features, interval)[order], atol=1e-5, rtol=0)


@LAW
@given(seed=seeds, image_count=lot_sizes)
def test_mutual_scores_permuted_patches_permute_scores(seed: int, image_count: int) -> None:
    features = unit_rows(seed, image_count)
    shuffled = features.clone()
    order = torch.randperm(PATCHES, generator=torch.Generator().manual_seed(seed))
    shuffled[0] = features[0, order]
    expected = mutual_scores(features)
    expected[0] = expected[0, order]
    torch.testing.assert_close(mutual_scores(shuffled), expected, atol=1e-5, rtol=0)


@LAW
@given(data=st.data(), seed=seeds, image_count=lot_sizes, interval=intervals())
def test_mutual_scores_copy_never_raises_its_original(
    data: st.DataObject, seed: int, image_count: int, interval: Interval
) -> None:
    features = unit_rows(seed, image_count)
    copied = data.draw(st.integers(0, image_count - 1))
    before = mutual_scores(features, interval)[copied]
    after = mutual_scores(torch.cat([features, features[copied : copied + 1]]), interval)[copied]
    assert bool((after <= before + 1e-6).all())


@LAW
@given(seed=seeds, image_count=lot_sizes, interval=intervals())
def test_mutual_scores_invariant_under_rotation_of_features(seed: int, image_count: int, interval: Interval) -> None:
    features = unit_rows(seed, image_count)
    generator = torch.Generator().manual_seed(seed)
    rotation = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=generator, dtype=torch.float64)).Q
    turned = (features.double() @ rotation).float()
    torch.testing.assert_close(mutual_scores(turned, interval), mutual_scores(features, interval), atol=1e-5, rtol=0)


@LAW
@given(seed=seeds, image_count=lot_sizes, interval=intervals())
def test_mutual_scores_lie_between_0_and_2(seed: int, image_count: int, interval: Interval) -> None:
    scores = mutual_scores(unit_rows(seed, image_count), interval)
    assert scores.shape == (image_count, PATCHES)
    assert bool(((scores >= 0) & (scores <= 2)).all())


def test_mutual_scores_opposite_patches_score_exactly_2_at_most() -> None:
    features = unit_rows(5, 500, patch_count=1, width=384)
    scores = torch.cat([mutual_scores(torch.stack([image, -image])) for image in features])
    assert scores.max() <= 2
    torch.testing.assert_close(scores, torch.full_like(scores, 2.0))


@pytest.mark.parametrize("width", [16, 1024])
def test_mutual_scores_identical_images_score_zero(width: int) -> None:
    copies = unit_rows(6, 1, patch_count=49, width=width).repeat(5, 1, 1)
    assert mutual_scores(copies).max() < ROUNDING


def test_mutual_scores_zero_rows_are_finite() -> None:
    features = unit_rows(7, 4)
    features[2] = 0
    np.testing.assert_allclose(mutual_scores(features)[2], np.sqrt(2), atol=1e-6)


def test_mutual_scores_leave_features_alone() -> None:
    features = unit_rows(8, 5)
    before = features.clone()
    mutual_scores(features)
    assert torch.equal(features, before)


@LAW
@given(seed=seeds, image_count=st.integers(1, 6))
def test_fill_symmetric_is_the_largest_product(seed: int, image_count: int) -> None:
    features = unit_rows(seed, image_count)
    nearest = torch.full((image_count, image_count, PATCHES), -torch.inf)
    fill_symmetric(nearest, features)
    for i in range(image_count):
        for j in range(image_count):
            expected = (features[i] @ features[j].T).amax(dim=1) if i != j else torch.full((PATCHES,), -torch.inf)
            torch.testing.assert_close(nearest[i, j], expected, atol=1e-6, rtol=0)


def test_fill_directed_agrees_with_symmetric() -> None:
    features = unit_rows(9, 7)
    both, one_way = torch.full((7, 7, PATCHES), -torch.inf), torch.zeros(3, 4, PATCHES)
    fill_symmetric(both, features)
    fill_directed(one_way, features[:3], features[3:])
    torch.testing.assert_close(one_way, both[:3, 3:], atol=1e-6, rtol=0)


@LAW
@given(seed=seeds, image_count=lot_sizes, low=st.integers(0, 10), highs=st.sets(st.integers(11, 20), min_size=2))
def test_interval_wider_never_lowers_the_mean(seed: int, image_count: int, low: int, highs: set[int]) -> None:
    features = unit_rows(seed, image_count)
    narrow = mutual_scores(features, (low / 20, min(highs) / 20))
    wide = mutual_scores(features, (low / 20, max(highs) / 20))
    assert bool((wide >= narrow - 1e-6).all())


@LAW
@given(image_count=st.integers(2, 3000), interval=intervals())
def test_interval_counts_select_at_least_one_reference(image_count: int, interval: Interval) -> None:
    low, high = interval_counts(interval, image_count - 1)
    assert 0 <= low < high <= image_count - 1


@pytest.mark.parametrize("image_count", [2, 3, 4])
def test_interval_small_lot_uses_the_nearest_reference(image_count: int) -> None:
    assert interval_counts((0.0, 0.3), image_count - 1) == (0, 1)


@pytest.mark.parametrize("reference_count", [9, 10, 20, 110, 999, 1000, 16383])
def test_interval_default_rounds_down_exactly(reference_count: int) -> None:
    assert interval_counts((0.0, 0.3), reference_count) == (0, 3 * reference_count // 10)


@pytest.mark.parametrize("interval", [(0.3, 0.3), (0.5, 0.2), (-0.1, 0.3), (0.0, 1.1), (0.0, float("nan")), (0.3,)])
def test_interval_out_of_order_is_refused(interval: Interval) -> None:
    with pytest.raises(ValueError, match="interval must be two fractions 0 ≤ low < high ≤ 1, got"):
        mutual_scores(unit_rows(0, 3), interval)


@pytest.mark.parametrize("image_count", [0, 1])
def test_mutual_scores_refuses_lone_image(image_count: int) -> None:
    with pytest.raises(ValueError, match=f"lot must hold at least 2 images .* got {image_count}"):
        mutual_scores(torch.ones(image_count, 3, 5))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_mutual_scores_refuses_non_finite_query(value: float) -> None:
    features = unit_rows(0, 5)
    features[3, 1, 2] = value
    with pytest.raises(ValueError, match=r"features must be finite, got NaN or infinity for 1 of 5 .*first at \[3\]"):
        mutual_scores(features)


def test_block_scores_refuses_non_finite_reference() -> None:
    features = unit_rows(0, 5)
    features[4] = float("nan")
    with pytest.raises(ValueError, match="features must be finite"):
        block_scores(features[:2], 0, [(2, features[2:])], 5, (0.0, 0.3))


@pytest.mark.parametrize(
    ("positions", "wrong"),
    [([2, 3], [4]), ([2, 3, 3], [3, 4]), ([2, 3, 4, 4], [4]), ([0, 2, 3, 4], [0]), ([], [2, 3, 4])],
    ids=["left_out", "repeated_for_another", "repeated", "query_itself", "none"],
)
def test_block_scores_refuses_references_that_miss_the_lot(positions: list[int], wrong: list[int]) -> None:
    features = unit_rows(0, 5)
    references = [(position, features[position : position + 1]) for position in positions]
    message = (
        rf"references must hold each of the 3 images .* got {len(wrong)} .*first at \[{', '.join(map(str, wrong))}\]"
    )
    with pytest.raises(ValueError, match=message):
        block_scores(features[:2], 0, references, 5, (0.0, 0.3))
