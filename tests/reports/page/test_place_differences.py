"""Drawn changes of known kind are named; places alike are said to be alike."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from reports.languages.current import speaking
from reports.page.place_differences import (
    CLEAR,
    MIN_SIDE,
    Difference,
    clear_differences,
    comparable,
    differences,
    place_pixels,
)


def _place(seed: int, noise: float = 4.0) -> np.ndarray:
    grey = 128 + noise * np.random.default_rng(seed).standard_normal((32, 32, 1))
    return np.clip(np.repeat(grey, 3, axis=2), 0, 255).astype(np.uint8)


GOOD = [_place(seed) for seed in range(8)]


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
    assert [one.quantity for one in named(blurred)] == ["detail"]
    assert named(blurred)[0].sentence.startswith("Smoother by")


def test_less_light_on_a_texture_makes_it_no_smoother() -> None:
    found = differences((_place(9) * 0.5).astype(np.uint8), GOOD)
    assert found is not None
    assert [one.quantity for one in found] == ["brightness"]


@pytest.mark.parametrize("colour", [(20, 20, 20), (230, 220, 200), (160, 110, 110)])
def test_differences_name_a_thing_that_good_places_lack_and_not_its_outline(colour: tuple[int, int, int]) -> None:
    picture = Image.fromarray(_place(9))
    ImageDraw.Draw(picture).ellipse((8, 10, 20, 23), fill=colour)
    found = named(np.asarray(picture))
    quantities = [one.quantity for one in found]
    assert quantities[0] == "presence"
    tone = {20: "Something darker is", 230: "Something lighter is"}.get(colour[0], "Something is")
    assert found[0].sentence.startswith(f"{tone} there that good places lack, on ")
    assert "edges" not in quantities


def test_a_thing_that_good_places_show_too_is_no_difference() -> None:
    def with_hole(seed: int, left: int) -> np.ndarray:
        picture = Image.fromarray(_place(seed))
        ImageDraw.Draw(picture).ellipse((left, 10, left + 12, 23), fill=(20, 20, 20))
        return np.asarray(picture)

    found = differences(with_hole(9, 8), [with_hole(seed, 6 + seed) for seed in range(8)])
    assert found == []


def test_differences_name_more_edges_where_lines_are_drawn() -> None:
    scratched = _place(9)
    scratched[:, ::8] = 200
    assert named(scratched)[0].sentence.startswith("More edges")


def test_differences_are_none_named_where_nothing_stands_out() -> None:
    assert named(_place(9)) == []


def test_differences_are_unknown_from_too_few_good_places() -> None:
    assert differences(_place(9), GOOD[:2]) is None


@pytest.mark.parametrize("seed", range(20, 30))
def test_noise_is_roughness_and_a_scratch_is_edges(seed: int) -> None:
    assert [one.quantity for one in named(_place(seed, noise=15))] == ["roughness"]
    scratched = _place(seed)
    scratched[10:12] = scratched[:, 20:22] = 230
    assert named(scratched)[0].quantity == "edges"


def test_less_light_on_a_coloured_surface_is_no_other_colour() -> None:
    tint = np.array([1.0, 0.8, 0.4])
    good = [(place * tint).astype(np.uint8) for place in GOOD]
    found = differences((_place(9) * tint * 0.6).astype(np.uint8), good)
    assert found
    assert found[0].quantity == "brightness"
    assert "colour" not in [one.quantity for one in found]


def test_one_good_place_unlike_the_others_hides_no_difference() -> None:
    place, other = (_place(9).astype(int) + 60, GOOD[7].astype(int) - 30)
    found = differences(place.astype(np.uint8), [*GOOD[:7], other.astype(np.uint8)])
    assert [one.quantity for one in found or []] == ["brightness"]


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "RGB", "I;16", "P", "1"])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 3), (200, 90)])
def test_place_pixels_are_whole_at_the_corners_of_any_photograph(mode: str, size: tuple[int, int]) -> None:
    for patch in (0, 34):
        height, width, bands = (pixels := place_pixels(Image.new(mode, size), patch, (5, 7))).shape
        assert bands == 3
        assert width >= min(MIN_SIDE, size[0])
        assert height >= min(MIN_SIDE, size[1])
        assert differences(pixels, [pixels] * 3) == []


def test_differences_are_said_in_the_language_spoken() -> None:
    with speaking("de"):
        assert Difference("roughness", 2.5, 2).sentence == "Um 2,5 Graustufen rauer."


def test_places_at_the_same_position_are_compared_with_where_they_are_alike() -> None:
    darker = [(_place(seed) * 0.75).astype(np.uint8) for seed in range(8)]
    same = [_place(seed) for seed in range(8)]
    assert comparable(darker, same) is same, "the nearest ones are as dark as what is odd"
    lying_freely = [(_place(seed) * (0.2 + 0.12 * seed)).astype(np.uint8) for seed in range(8)]
    assert comparable(GOOD, lying_freely) is GOOD
    assert comparable(GOOD, same[:2]) is GOOD, "too few to say"
    assert comparable([], same) is same


def test_only_clear_differences_of_an_image_are_named() -> None:
    same, named = [_place(seed) for seed in range(16)], set[int]()
    for levels in range(6, 30):
        odd = (_place(99).astype(int) - levels).astype(np.uint8)
        clear, every = clear_differences(odd, GOOD, same) or [], differences(odd, same) or []
        assert clear == [one for one in every if one.strength >= CLEAR]
        named.add(len(every) - len(clear))
    assert named == {0, 1}, "some are left out, and none that is clear"
    assert clear_differences(odd, GOOD[:1], []) is None
