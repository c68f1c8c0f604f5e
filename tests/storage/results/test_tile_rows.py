"""Features of tiles in the order of scoring; an image that lacks a tile is left out whole."""

from types import SimpleNamespace
from typing import Any, cast

from storage.results.features import Exclusion, LotFeatures
from storage.results.tile_rows import scored_rows, whole_images, whole_rows


class Stored(SimpleNamespace):
    """Features of three images of two tiles each, of which the fourth tile is unusable."""

    exclusions = [Exclusion(3, "not_finite", "NaN")]  # noqa: RUF012
    block_rows = [("block", row) for row in (0, 1, 2, 4, 5)]  # noqa: RUF012

    def __len__(self) -> int:
        return len(self.block_rows)


def test_images_that_lack_a_tile_are_left_out_and_tiles_go_position_by_position() -> None:
    features = cast(LotFeatures, cast(Any, Stored()))
    assert whole_images(features, 2) == [0, 2]
    assert whole_rows(features, 2) == [0, 1, 3, 4]
    assert [row for _, row in scored_rows(features, 2)] == [0, 4, 1, 5]
    assert scored_rows(features, 1) == Stored.block_rows
