"""Formats for marked images: CSV, COCO and Label Studio's JSON, for regions from people and from runs."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from storage.images.drawn_shapes import BOX, OUTLINE
from storage.images.lots import ListedImage
from storage.results.verdicts import DEFECTIVE

if TYPE_CHECKING:
    import pandas as pd


FORMULA_SIGNS = (*"=+-@", *"\uff1d\uff0b\uff0d\uff20", "\t", "\r", "\n")
"""Spreadsheets run a cell that begins so, with signs of full width too; a quote in front makes it text."""


@dataclass(frozen=True)
class Marked:
    """One image with its label and regions."""

    image: ListedImage
    label: str
    """`defective`, `good`, or `unsure`."""
    regions: Sequence[Mapping[str, Any]] = ()
    """Defective places: `shape` (`box` or `outline`), `points` (corners across and down, in pixels of the upright
    image), and from a model a `score`."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further facts, passed on by name."""
    kind: str = ""
    """Of its defect; empty where none is told."""
    severity: str = ""

    @property
    def place_label(self) -> str:
        """What its places are called: their kind, or only defective."""
        return self.kind or DEFECTIVE


def csv_bytes(table: "pd.DataFrame") -> bytes:
    """A table as a CSV file that spreadsheets open rightly and run nothing of; every CSV file is written here.

    It is UTF-8 with a byte order mark, without which Excel shows names beyond ASCII garbled. Texts stand in quotes, so
    that no sign in them is taken for a separator.
    """
    safe = table.apply(lambda column: column.map(lambda cell: inert(cell) if isinstance(cell, str) else cell))
    text = str(safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC))
    return text.encode("utf-8-sig")


def inert(text: str) -> str:
    """A cell that no spreadsheet runs.

    >>> inert("=1+1"), inert("scratch")
    ("'=1+1", 'scratch')
    """
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_SIGNS) else text


def as_coco(marked: Sequence[Marked], description: str, kinds: Sequence[str] = ()) -> dict[str, object]:
    """Images and their defective places as COCO's object detection has them; only defective images have annotations.

    Args:
        kinds: every kind that an image may have; they are categories behind `defective`, in this order.
    """
    numbered, names = list(enumerate(marked, start=1)), (DEFECTIVE, *kinds)
    shapes = [
        (number, region, 1 + names.index(image.place_label))
        for number, image in numbered
        if image.label == DEFECTIVE
        for region in image.regions
    ]
    return {
        "info": {"description": description},
        "categories": [
            {"id": number, "name": name, **({"supercategory": DEFECTIVE} if number > 1 else {})}
            for number, name in enumerate(names, start=1)
        ],
        "images": [
            {
                "id": number,
                "file_name": image.image.path,
                "width": image.image.width,
                "height": image.image.height,
                "sha256": image.image.sha256,
                **image.facts,
            }
            for number, image in numbered
        ],
        "annotations": [annotation(count, *shape) for count, shape in enumerate(shapes, start=1)],
    }


def annotation(annotation_id: int, image_id: int, region: Mapping[str, Any], category_id: int) -> dict[str, object]:
    """One place as COCO has it: its box, its polygon and its area; a detector's place has a score too."""
    points = region["points"]
    left, top, right, bottom = bounds(points)
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [left, top, right - left, bottom - top],
        "segmentation": [[value for point in points for value in point]],
        "area": area(points),
        "iscrowd": 0,
        **({"score": region["score"]} if "score" in region else {}),
    }


def as_labelstudio(
    marked: Iterable[Marked], *, model: str | None = None, prefix: str | None = None
) -> list[dict[str, object]]:
    """Tasks with one annotation each, or with one prediction if a model made them.

    Their labelling interface needs `Choices` named `verdict`, for verdicts that have them `kind` and `severity`, and
    `RectangleLabels` and `PolygonLabels` named `box` and `outline`, all for an `Image` named `image`.

    Args:
        model: what made the places; each then comes as a box and as an outline. None if people did.
        prefix: of the address from which Label Studio loads each photograph; None leaves paths as they are.
    """
    return [task(image, model, prefix) for image in marked]


def task(marked: Marked, model: str | None, prefix: str | None) -> dict[str, object]:
    """One of Label Studio's tasks."""
    said = {"verdict": marked.label, "kind": marked.kind, "severity": marked.severity}
    choices = [
        {"from_name": name, "to_name": "image", "type": "choices", "value": {"choices": [choice]}}
        for name, choice in said.items()
        if choice
    ]
    shapes = (BOX, OUTLINE) if model else (None,)
    results = [place(region, shape or region["shape"], marked) for region in marked.regions for shape in shapes]
    result = {"result": [*choices, *results]}
    image = marked.image.path if prefix is None else f"{prefix}{quote(marked.image.path)}"
    data = {"image": image, "sha256": marked.image.sha256, **marked.facts}
    if model is None:
        return {"data": data, "annotations": [result]}
    return {"data": data, "predictions": [{"model_version": model, "score": marked.facts.get("raw_score"), **result}]}


def place(region: Mapping[str, Any], shape: str, marked: Marked) -> dict[str, object]:
    """A place in percent of the image's sides, as Label Studio has it."""
    image = marked.image
    points = [[100 * x / image.width, 100 * y / image.height] for x, y in region["points"]]
    left, top, right, bottom = bounds(points)
    value: dict[str, object]
    if shape == BOX:
        kind = "rectanglelabels"
        value = {"x": left, "y": top, "width": right - left, "height": bottom - top, "rotation": 0}
    else:
        kind, value = "polygonlabels", {"points": points}
    size = {"original_width": image.width, "original_height": image.height, "image_rotation": 0}
    return {
        "from_name": shape,
        "to_name": "image",
        **size,
        "type": kind,
        "value": {**value, kind: [marked.place_label]},
    }


def bounds(points: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a polygon."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def area(points: Sequence[Sequence[float]]) -> float:
    """Of a polygon, by the shoelace formula.

    >>> area([(0, 0), (4, 0), (4, 3), (0, 3)])
    12.0
    """
    following = [*points[1:], points[0]]
    return abs(sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in zip(points, following, strict=True))) / 2


def json_bytes(values: Any) -> bytes:
    """The content of an export's file.

    Raises:
        ValueError: if a number is infinite or undefined.
    """
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False).encode()
