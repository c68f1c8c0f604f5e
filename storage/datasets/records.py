"""What a labelled dataset consists of, as plain values: categories hold images, images hold masks."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True)
class Mask:
    """One mask file; the three further fields describe the defect channel it is in MVTec LOCO AD, else None."""

    path: str
    """Relative to the root, "/" separated."""
    pixel_value: int | None = None
    """The grey value, 1 to 255, of all its non-zero pixels."""
    saturation_threshold: float | None = None
    """Fraction of the defect's area when relative, else pixels."""
    relative_saturation: bool | None = None


@dataclass(frozen=True)
class LabelledImage:
    """One test image with what is known about it."""

    path: str
    """Relative to the root, "/" separated."""
    defect_type: str
    """As the dataset spells it, e.g. `good`, `scratch`, `ko`, `anomaly`, `logical_anomalies`."""
    label: int
    """0 normal, 1 defective."""
    masks: tuple[Mask, ...] = ()
    """Empty for a normal image and for a defective one whose mask is missing; more than one only in MVTec LOCO AD."""

    @property
    def pixels_known(self) -> bool:
        """Whether it is known which pixels are defective: not for a defective image whose mask is missing."""
        return not self.label or bool(self.masks)


@dataclass(frozen=True)
class Category:
    """One product type: its test images make one lot."""

    dataset: str
    name: str
    images: tuple[LabelledImage, ...]
    """In natural order of their paths."""


class Found(NamedTuple):
    """What a layout made of a root: images per category, and every problem met on the way, one line each."""

    images: dict[str, list[LabelledImage]]
    problems: list[str]


class Layout(NamedTuple):
    """How one kind of dataset lies on disk."""

    find: Callable[[Path, Collection[str] | None], Found]
    """(root, requested categories or None for all) -> what is there."""
    example: tuple[str, ...]
    """Lines that show a correct root."""
    places: tuple[str, ...] = ("**",)
    """Folders below the root whose images are read, or are known not to be of the test set: `*` is one part of a path,
    a last `**` whatever lies deeper. Images elsewhere are said to be left out."""
