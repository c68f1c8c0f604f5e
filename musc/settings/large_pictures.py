"""Options of tiles: large pictures scored in parts at full resolution."""

from typing import Literal, Self

from pydantic import model_validator

from musc.settings.pydantic_options import Options, option

WITHOUT_TILES = (
    *("exclude_groups", "references_from", "keep_aspect"),
    *("good", "good_from_verdicts", "roi", "ignore_drawn", "subsets"),
)
"""What cannot go with `tile`: the first three are settings, the others say what a request is about."""


class TileSettings(Options):
    """Whether images are scored as tiles, and with which tiles each is compared."""

    tile: int | None = option(
        None,
        "Score images as tiles of so many pixels a side at full resolution, for large pictures. image_size is then the "
        "nearest that the network takes, unless given. An image's score is taken from the map that its tiles make "
        "together. Default: images are scored whole.",
        ge=32,
        metavar="PIXELS",
        common=True,
    )
    overlap: int | None = option(
        None, "Pixels that neighbouring tiles share at least. Default: an eighth of a tile.", ge=0, metavar="PIXELS"
    )
    tile_references: Literal["position", "around", "all"] = option(
        "position",
        "Which tiles of the other images a tile is compared with: those of its own position; around: of the next ones "
        "too, for parts that lie freely; or all. Tiles of its own image never are.",
    )

    @model_validator(mode="after")
    def _tiles_fit(self) -> Self:
        if self.tile is None:
            for name in ("overlap", "tile_references"):
                if (value := getattr(self, name)) not in (None, "position"):
                    raise ValueError(f"{name} must go with tile, got {name} {value} alone; give --tile too")
            return self
        if self.overlap is not None and self.overlap >= self.tile:
            raise ValueError(f"overlap must be less than tile, {self.tile}, got {self.overlap}; an eighth is usual")
        for name in WITHOUT_TILES:
            if value := getattr(self, name, None):
                raise ValueError(f"{name} must go without tile, got {value}; leave out one of the two")
        references = getattr(self, "references", None)
        if self.tile_references != "position" and references is not None:
            raise ValueError(
                f"references must go without tile_references {self.tile_references}, got {references}; leave out one "
                "of the two"
            )
        return self
