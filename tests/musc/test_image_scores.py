"""The scores of an image, beside plain loops, and the laws that each of them is for."""

import numpy as np
import pytest

from musc.image_scores import score_maps, usual_scores
from musc.settings import ImageScore
from tests.plain_image_scores import plain_image_scores

N, ROWS, COLUMNS, SIZE = 5, 7, 6, (23, 19)
KINDS: tuple[ImageScore, ...] = ("max", "contrast", "position", "balanced")


@pytest.fixture
def patch_scores() -> np.ndarray:
    return np.random.default_rng(7).random((N, ROWS, COLUMNS), dtype=np.float32)


def masked(patch_scores: np.ndarray) -> np.ndarray:
    """A region of its own for each image, and one place that lies outside of all of them."""
    outside = np.random.default_rng(8).random(patch_scores.shape) < 0.4
    outside[:, 2, 3] = True
    return np.where(outside, np.nan, patch_scores).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_image_scores_and_their_places_are_those_of_plain_loops(patch_scores: np.ndarray, kind: ImageScore) -> None:
    scores, places = score_maps(patch_scores, SIZE, kind)
    expected, where = plain_image_scores(patch_scores, SIZE, kind)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    np.testing.assert_allclose(places * SIZE - 0.5, where, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_patches_outside_of_the_region_take_no_part(patch_scores: np.ndarray, kind: ImageScore) -> None:
    cells = masked(patch_scores)
    scores, _ = score_maps(cells, SIZE, kind)
    np.testing.assert_allclose(scores, plain_image_scores(cells, SIZE, kind)[0], atol=1e-6)


def test_image_below_what_is_usual_scores_below_zero_inside_of_its_region(patch_scores: np.ndarray) -> None:
    cells = masked(patch_scores)
    usual = np.full((ROWS, COLUMNS), 2, dtype=np.float32)
    scores, places = score_maps(cells, SIZE, "position", usual)
    expected, _ = plain_image_scores(cells, SIZE, "position", usual[None])
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert (scores < 0).all()
    for image, (row, column) in enumerate(places * (ROWS - 1, COLUMNS - 1)):
        near = cells[image, int(row) : int(row) + 2, int(column) : int(column) + 2]
        assert not np.isnan(near).all(), "the place lies inside"


def test_contrast_is_the_same_for_an_image_that_differs_as_a_whole(patch_scores: np.ndarray) -> None:
    darker = patch_scores + np.float32(0.3) * np.arange(N, dtype=np.float32)[:, None, None]
    np.testing.assert_allclose(
        score_maps(darker, SIZE, "contrast")[0], score_maps(patch_scores, SIZE, "contrast")[0], atol=1e-6
    )


def test_position_is_the_same_wherever_all_images_score_high(patch_scores: np.ndarray) -> None:
    edge = np.zeros((ROWS, COLUMNS), dtype=np.float32)
    edge[:, 2] = 3
    found, expected = score_maps(patch_scores + edge, SIZE, "position"), score_maps(patch_scores, SIZE, "position")
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)
    np.testing.assert_array_equal(found[1], expected[1])


def test_scores_are_the_same_however_many_maps_are_held_at_once(
    patch_scores: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [score_maps(masked(patch_scores), SIZE, kind)[0] for kind in KINDS]
    monkeypatch.setattr("musc.image_scores.PIXELS_AT_ONCE", 1)
    np.testing.assert_array_equal([score_maps(masked(patch_scores), SIZE, kind)[0] for kind in KINDS], whole)


def test_usual_of_a_place_that_no_image_has_inside_is_that_of_the_other_places(patch_scores: np.ndarray) -> None:
    cells = masked(patch_scores)
    usual = usual_scores(cells)
    others = np.delete(usual.ravel(), 2 * COLUMNS + 3)
    assert usual[2, 3] == pytest.approx(np.median(others))
    assert not np.isnan(usual).any()
