"""Files for other programs beside a run's results: anomaly maps as images, and tables and boxes of its decisions."""

from dataclasses import dataclass
from typing import Literal

MapKind = Literal["png", "tiff"]
ExportKind = Literal["csv", "coco", "labelstudio", "cvat", "yolo", "yolo-segments"]
Language = Literal["en", "de", "zh"]
"""In which pages are written."""
PAGE_FOLDER, CAUSES_FOLDER = "report", "causes"
CAUSES = "causes.parquet"
ODD_PLACES = "boxes and outlines of the odd places of flagged and suspect images"
EXPORTS: dict[ExportKind, str] = {
    "csv": "the table of scores",
    "coco": ODD_PLACES,
    "labelstudio": ODD_PLACES,
    "cvat": "their outlines",
    "yolo": "their boxes",
    "yolo-segments": "their outlines",
}
"""What an export of each format holds, as the help of `--export` says it."""

WITH_CAUSES: tuple[ExportKind, ...] = ("csv", "coco", "labelstudio")
"""Formats that also say what is odd about an image."""


def maps_folder(kind: MapKind) -> str:
    """Name of the folder of a run that holds its maps of one kind."""
    return f"maps-{kind}"


def export_folder(kind: ExportKind) -> str:
    """Name of the folder of a run that holds its export of one format."""
    return f"export-{kind}"


def described_exports() -> str:
    """What exports hold, formats with the same content together.

    >>> described_exports().split(";")[0]
    'csv: the table of scores'
    """
    kinds: dict[str, list[str]] = {}
    for kind, content in EXPORTS.items():
        kinds.setdefault(content, []).append(kind)
    return "; ".join(f"{' and '.join(named)}: {content}" for content, named in kinds.items())


@dataclass(frozen=True)
class RunFiles:
    """Which of them are asked for."""

    maps: tuple[MapKind, ...] = ()
    export: tuple[ExportKind, ...] = ()
    image_prefix: str | None = None
    """Of the addresses from which Label Studio loads photographs."""
    language: Language = "en"
    """Of the page."""
    pixel_size: float | None = None
    """Millimetres of the part a pixel; None where nobody said."""

    @property
    def folders(self) -> dict[str, str]:
        """Their folders in the run, page and causes too, each with what else decides its content, if anything."""
        exports = {export_folder(kind): (self.image_prefix or "") * (kind == "labelstudio") for kind in self.export}
        told = {PAGE_FOLDER: self.language, CAUSES_FOLDER: "" if self.pixel_size is None else str(self.pixel_size)}
        return told | {maps_folder(kind): "" for kind in self.maps} | exports


NO_FILES = RunFiles()
