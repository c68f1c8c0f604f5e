"""Drawn changes of known kind are named; places alike are said to be alike."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from reports.languages.current import speaking
from reports.page.place_differences import Difference, differences, place_pixels


def _place(seed: int, noise: float = 4.0) -> np.ndarray:
    grey = 128 + noise * np.random.default_rng(seed).standard_normal((32, 32, 1))
    return np.clip(np.repeat(grey, 3, axis=2), 0, 255).astype(np.uint8)


GOOD = [_place(seed) for seed in range(3)]


def named(place: np.ndarray) -> list[Difference]:
    """The differences from good places, of which there are enough."""
    found = differences(place, GOOD)
    assert found is not None
    return found


def test_differences_name_darker_and_lighter_by_the_drawn_grey_levels() -> None:
    for levels in (-40, 40):
        (found,) = named((_place(9).astype(int) + levels).astype(np.uint8))
        assert found.quantity == "brightness"
        assert found.amount == pytest.approx(levels, abs=2)


def test_differences_name_another_colour() -> None:
    place = _place(9).astype(int) + np.array([30, -15, -15])
    assert named(place.astype(np.uint8))[0].quantity == "colour"


def test_differences_name_rougher_and_smoother() -> None:
    assert named(_place(9, noise=9))[0].sentence.startswith("Rougher")
    blurred = np.asarray(Image.fromarray(_place(9)).filter(ImageFilter.GaussianBlur(2)))
    assert named(blurred)[0].sentence.startswith("Smoother")


def test_differences_name_more_edges_where_lines_are_drawn() -> None:
    scratched = _place(9)
    scratched[:, ::8] = 200
    assert named(scratched)[0].sentence.startswith("More edges")


def test_differences_are_none_named_where_nothing_stands_out() -> None:
    assert named(_place(9)) == []


def test_differences_are_unknown_from_too_few_good_places() -> None:
    assert differences(_place(9), GOOD[:2]) is None


@pytest.mark.parametrize("mode", ["L", "RGBA", "RGB"])
def test_place_pixels_are_whole_at_the_corner_of_any_photograph(mode: str) -> None:
    assert place_pixels(Image.new(mode, (7, 5)), 34, (5, 7)).shape == (1, 1, 3)
    assert named(place_pixels(Image.new(mode, (7, 5)), 0, (5, 7)))


def test_differences_are_said_in_the_language_spoken() -> None:
    with speaking("de"):
        assert Difference("roughness", 2.5, 2).sentence == "Um 2,5 Graustufen rauer."
