"""Generated textures: the same from the same numbers, in range, of one law within a lot, insertions where masks say."""

import numpy as np
import pytest

from training.fields import LAWS, cells, choose_field, leaves, repeated, spectral, strewn
from training.insertions import KINDS, insert
from training.lots import as_batch, draw_lot
from training.scenes import photograph

STILL = {"exposure": 0.0, "contrast": 0.0, "slope": 0.0, "mottle": 0.0, "balance": 0.0, "blur": 0.0, "noise": 0.0}
"""A camera that changes nothing but the rounding to whole grey levels."""


def test_laws_are_all_tried() -> None:
    assert set(LAWS) == {spectral, strewn, leaves, repeated, cells}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("seed", range(6))
def test_fields_are_finite_and_of_unit_scale(law, seed: int) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    field = law(rng, 64)(rng)
    assert (field.shape, field.dtype) == ((64, 64), np.float32)
    assert np.isfinite(field).all()
    assert field.std() < 3


def test_fields_of_one_law_share_their_spectrum_and_differ_in_their_pixels() -> None:
    rng = np.random.default_rng(5)

    def spectra(field) -> np.ndarray:  # type: ignore[no-untyped-def]
        rows = [np.log(np.abs(np.fft.rfft2(field(rng))) + 1)[:12, :12].ravel() for _ in range(8)]
        return np.stack(rows)

    fields = [choose_field(np.random.default_rng(seed), 64) for seed in range(8)]
    drawn = [spectra(field) for field in fields]
    centres = np.stack([rows[:4].mean(axis=0) for rows in drawn])
    found = [np.linalg.norm(centres - row, axis=1).argmin() for rows in drawn for row in rows[4:]]
    assert np.mean(np.array(found) == np.repeat(np.arange(8), 4)) > 0.8
    assert all(np.ptp(rows, axis=0).max() > 0 for rows in drawn)


def test_lots_are_the_same_from_the_same_identity() -> None:
    first, again = (draw_lot((3, 1, 4), image_count=3, size=64) for _ in range(2))
    for drawn, redrawn in zip(first, again, strict=True):
        np.testing.assert_array_equal(drawn, redrawn)


def test_lots_of_other_identities_differ() -> None:
    first, other = draw_lot((3, 1, 4), image_count=2, size=64), draw_lot((3, 1, 5), image_count=2, size=64)
    assert np.abs(first.pictures - other.pictures).mean() > 0.01


@pytest.mark.parametrize("number", range(12))
def test_lots_keep_their_ranges(number: int) -> None:
    lot = draw_lot((9, number), image_count=3, size=64)
    assert (lot.pictures.shape, lot.pictures.dtype) == ((3, 64, 64, 3), np.float32)
    assert lot.pictures.min() >= 0
    assert lot.pictures.max() <= 1
    assert lot.masks.dtype == bool
    assert lot.regions.min() >= -1
    assert lot.regions.max() <= 2


def test_lots_without_a_share_have_no_insertion() -> None:
    assert not any(draw_lot((2, number), image_count=3, size=64, share=0.0).masks.any() for number in range(5))


@pytest.mark.parametrize("seed", range(3 * len(KINDS)))
def test_insertions_touch_nothing_outside_their_mask(seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.uniform(0.3, 0.7, (64, 64, 3)).astype(np.float32)
    changed, mask = insert(rng, picture, 16.0)
    np.testing.assert_array_equal(changed[~mask], picture[~mask])
    if mask.any():
        assert np.abs(changed - picture)[mask].mean() > 0.01


def test_insertions_are_mostly_visible() -> None:
    picture = np.random.default_rng(0).uniform(0.3, 0.7, (64, 64, 3)).astype(np.float32)
    found = [insert(np.random.default_rng(seed), picture, 16.0)[1].any() for seed in range(60)]
    assert np.mean(found) > 0.6


def test_insertions_grow_with_the_largest_radius() -> None:
    picture = np.random.default_rng(0).uniform(0.3, 0.7, (128, 128, 3)).astype(np.float32)
    covered = {
        largest: [insert(np.random.default_rng(seed), picture, largest)[1].mean() for seed in range(60)]
        for largest in (16.0, 48.0)
    }
    assert max(covered[16.0]) < 0.2 < max(covered[48.0]) < 0.9


def test_camera_that_changes_nothing_only_rounds() -> None:
    picture = np.random.default_rng(1).uniform(0, 1, (32, 32, 3)).astype(np.float32)
    taken = photograph(np.random.default_rng(2), picture, STILL)
    np.testing.assert_allclose(taken, picture, rtol=0, atol=0.5 / 255 + 1e-6)


def test_batches_keep_lots_together() -> None:
    lots = [draw_lot((1, number), image_count=2, size=32) for number in range(3)]
    pictures, masks, regions = as_batch(lots)
    assert (pictures.shape, masks.shape, regions.shape) == ((6, 3, 32, 32), (6, 32, 32), (6, 32, 32))
    np.testing.assert_array_equal(pictures[3].permute(1, 2, 0).numpy(), lots[1].pictures[1])
    np.testing.assert_array_equal(masks[4].numpy(), lots[2].masks[0])
