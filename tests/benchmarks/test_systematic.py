"""One flaw on many generated parts."""

import numpy as np
import pytest

from benchmarks.systematic import draw_repeated


def centre(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)


@pytest.mark.parametrize("kind", ["stain", "pit", "chip"])
def test_flaw_keeps_its_place_and_shape(kind: str) -> None:
    drawn = [draw_repeated("cast", kind, seed=1, number=number, size=128) for number in range(4)]
    centres = np.array([centre(mask) for _, mask in drawn])
    areas = [mask.sum() for _, mask in drawn]
    assert np.ptp(centres, axis=0).max() < 8
    assert max(areas) < 1.5 * min(areas)
    assert all((drawn[0][0] != picture).mean() > 0.5 for picture, _ in drawn[1:])


def test_moved_flaw_lies_elsewhere_in_every_image() -> None:
    centres = np.array([centre(draw_repeated("cast", "pit", number=n, size=128, moved=True)[1]) for n in range(4)])
    distances = np.linalg.norm(centres[:, None] - centres, axis=-1)[np.triu_indices(4, 1)]
    assert distances.min() > 4
    assert distances.max() > 25


def test_flaw_of_another_lot_is_another() -> None:
    masks = [draw_repeated("cast", "stain", seed=seed, size=128)[1] for seed in (1, 2)]
    assert (masks[0] & masks[1]).sum() < 0.5 * masks[0].sum()


def test_same_words_draw_the_same_picture() -> None:
    (first, mask), (second, again) = (draw_repeated("woven", "pit", number=3, size=64) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(mask, again)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"kind must be one of scratch, .*, got 'dent'"):
        draw_repeated("cast", "dent")
