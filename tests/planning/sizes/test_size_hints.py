"""Hints at the start: which options the sizes of photographs suggest, and what they cost."""

from dataclasses import replace
from typing import Any

import pytest

from musc.layers import BackboneSpec, Layer
from planning.lot_job import LotJob, RegionOfInterest
from planning.sizes.kept_size import KeptSize
from planning.sizes.size_hints import size_hints
from storage.images.lots import ListedImage
from tests.flat import chosen, job_of


def job(seen: tuple[int, int] = (320, 320), **settings: Any) -> LotJob:
    backbone = BackboneSpec(
        "net",
        "tag",
        "digest-1",
        seen,
        (Layer(0, (seen[0] // 8, seen[1] // 8), 24), Layer(1, (seen[0] // 16, seen[1] // 16), 24)),
        48,
    )
    return job_of(backbone=backbone, settings=chosen(backbone="net", **settings))


def photographs(*sizes: tuple[int, int]) -> list[ListedImage]:
    return [ListedImage(str(place), f"{place}.png", "", *size, "ok", "") for place, size in enumerate(sizes)]


def test_nothing_is_hinted_of_photographs_that_the_network_sees_well() -> None:
    for size in ((900, 900), (576, 768), (1200, 800), (1024, 1024)):
        assert size_hints(job(), photographs(size)) == ()
    assert size_hints(job(), []) == ()


def test_elongated_photographs_are_hinted_to_keep_their_proportions() -> None:
    (hint,) = size_hints(job(), photographs((1200, 500), (900, 900), (1200, 500)))
    assert hint == (
        "photographs of 1200 x 500 pixels are resized to 320 x 320, other proportions; --keep-aspect keeps theirs and "
        "takes about as long"
    )
    assert size_hints(job(), photographs((500, 1200)))


def test_watch_is_hinted_the_options_that_it_takes() -> None:
    (elongated,) = size_hints(job(), photographs((1200, 500)), watching=True)
    assert "; --image-size 208x496 keeps theirs" in elongated
    (large,) = size_hints(job(), photographs((2448, 2048)), watching=True)
    assert "--image-size 640" in large
    assert "--tile" not in large


def test_proportions_that_are_kept_or_met_give_no_hint() -> None:
    assert size_hints(job((208, 496), image_size=(208, 496)), photographs((1200, 500))) == ()
    kept = replace(job((208, 496), keep_aspect=True), kept_sizes=(KeptSize((208, 496), "", ""),))
    assert size_hints(kept, photographs((1200, 500))) == ()


def test_large_photographs_are_hinted_larger_sizes_and_tiles_with_their_cost() -> None:
    (hint,) = size_hints(job(), photographs((2448, 2048)))
    assert hint == (
        "photographs of 2448 x 2048 pixels are resized to 320 x 320, 7.0 of their pixels to one along a side, and what "
        "is small may be lost; --smallest-flaw with the pixels of the smallest flaw chooses what shows it; by hand "
        "--image-size 640 takes 4 times as long to extract and 16 to compare, or --tile 640, 20 tiles of each at full "
        "resolution, 80 times as long to extract and 320 to compare; musc plan says how long that is here"
    )


def test_large_and_elongated_photographs_get_both_hints() -> None:
    assert len(size_hints(job(), photographs((4000, 1000)))) == 2


def test_large_photographs_of_kept_proportions_are_still_hinted_a_larger_size() -> None:
    kept = replace(job((160, 640), image_size=(160, 640), keep_aspect=True), kept_sizes=(KeptSize((160, 640), "", ""),))
    (hint,) = size_hints(kept, photographs((6000, 1500)))
    assert "--image-size 640 takes" in hint
    assert "--tile" not in hint, "tiles go without proportions that are kept"


@pytest.mark.parametrize("given", [{"tile": 640}, {"image_size": 320}])
def test_chosen_tiles_or_size_give_no_hint_of_large_photographs(given: dict[str, Any]) -> None:
    assert size_hints(job(**given), photographs((2448, 2048))) == ()


def test_tiles_are_not_hinted_where_they_are_refused() -> None:
    masked = replace(job(), region=RegionOfInterest("mask.png", each=False))
    for one in (masked, job(exclude_groups=True)):
        (hint,) = size_hints(one, photographs((2448, 2048)))
        assert "--tile" not in hint
