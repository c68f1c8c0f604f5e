"""Verdicts for other tools: CSV, COCO and Label Studio, made from the verdicts alone; no photograph is read.

| format | holds |
|---|---|
| `csv` | every verdict, withdrawn and overruled ones too, `counts` telling which one stands |
| `coco` | images whose verdict is `defective` or `good`; a drawn region is an annotation of COCO's object detection |
| `labelstudio` | tasks with an annotation each: a choice, and drawn regions in percent (Label Studio's JSON) |
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from storage.images.lots import ListedImage
from storage.results.verdicts import BOX, DEFECTIVE, GOOD, current_verdicts

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets run a cell that begins so; a quote in front makes it text."""
TEXTS = ("path", "category", "name", "note")
FORMATS = {"csv": "csv", "coco": "json", "labelstudio": "json"}
"""Formats that are one file, and its suffix."""


def as_csv(verdicts: pd.DataFrame) -> str:
    """Every verdict as a row, the earliest first, `regions` as JSON; what a spreadsheet would run begins with `'`."""
    counting = set(current_verdicts(verdicts)["verdict_id"])
    table = verdicts.assign(
        counts=[verdict_id in counting for verdict_id in verdicts["verdict_id"]],
        regions=[json.dumps(regions) for regions in verdicts["regions"]],
        **{name: [inert(str(text)) for text in verdicts[name]] for name in TEXTS},
    )
    return str(table.to_csv(index=False, lineterminator="\n"))


def inert(text: str) -> str:
    """A cell that no spreadsheet runs.

    >>> inert("=1+1"), inert("scratch")
    ("'=1+1", 'scratch')
    """
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def as_coco(verdicts: pd.DataFrame, images: Sequence[ListedImage]) -> dict[str, Any]:
    """Images judged defective or good, and the regions that were drawn, as COCO's object detection has them.

    Args:
        verdicts: every verdict about a run.
        images: the scored images of the run.
    """
    known = {image.image_id: image for image in images}
    current = clear_verdicts(verdicts)
    rows = list(enumerate(current.to_dict("records"), start=1))
    annotations: list[dict[str, Any]] = []
    for number, row in rows:
        for region in row["regions"] if row["verdict"] == DEFECTIVE else []:
            points = region["points"]
            left, top, right, bottom = bounds(points)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "bbox": [left, top, right - left, bottom - top],
                    "segmentation": [[value for point in points for value in point]],
                    "area": area(points),
                    "iscrowd": 0,
                }
            )
    return {
        "info": {"description": "Verdicts about a lot scored with MuSc"},
        "categories": [{"id": 1, "name": DEFECTIVE}],
        "images": [
            {
                "id": number,
                "file_name": row["path"],
                "width": known[row["image_id"]].width,
                "height": known[row["image_id"]].height,
                "verdict": row["verdict"],
                "sha256": row["sha256"],
            }
            for number, row in rows
        ],
        "annotations": annotations,
    }


def as_labelstudio(verdicts: pd.DataFrame, images: Sequence[ListedImage]) -> list[dict[str, Any]]:
    """Tasks with one annotation each. Their labelling interface needs `Choices` named `verdict`, and
    `RectangleLabels` and `PolygonLabels` named `box` and `outline`, all for an `Image` named `image`.

    Args:
        verdicts: every verdict about a run.
        images: the scored images of the run.
    """
    known = {image.image_id: image for image in images}
    rows: list[dict[str, Any]] = current_verdicts(verdicts).to_dict("records")  # type: ignore[assignment]
    return [task(row, known[row["image_id"]]) for row in rows]


def task(row: Mapping[str, Any], image: ListedImage) -> dict[str, Any]:
    """One of Label Studio's tasks."""
    size = {"original_width": image.width, "original_height": image.height, "image_rotation": 0}
    choice = {"from_name": "verdict", "to_name": "image", "type": "choices", "value": {"choices": [row["verdict"]]}}
    results: list[dict[str, Any]] = [choice]
    for region in row["regions"]:
        points = [[100 * x / image.width, 100 * y / image.height] for x, y in region["points"]]
        left, top, right, bottom = bounds(points)
        if region["shape"] == BOX:
            place = {"x": left, "y": top, "width": right - left, "height": bottom - top, "rotation": 0}
            result: dict[str, Any] = {"type": "rectanglelabels", "value": {**place, "rectanglelabels": [DEFECTIVE]}}
        else:
            result = {"type": "polygonlabels", "value": {"points": points, "polygonlabels": [DEFECTIVE]}}
        results.append({"from_name": region["shape"], "to_name": "image", **size, **result})
    told = {name: row[name] for name in ("sha256", "raw_score", "name", "time", "note")}
    return {"data": {"image": row["path"], **told}, "annotations": [{"result": results}]}


def clear_verdicts(verdicts: pd.DataFrame) -> pd.DataFrame:
    """The standing verdicts that say defective or good, in the order of the images' paths."""
    current = current_verdicts(verdicts)
    return current[current["verdict"].isin([DEFECTIVE, GOOD])].sort_values("path", ignore_index=True)


def bounds(points: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a polygon."""
    across, down = zip(*points, strict=True)
    return min(across), min(down), max(across), max(down)


def area(points: Sequence[Sequence[float]]) -> float:
    """Of a polygon, by the shoelace formula.

    >>> area([(0, 0), (4, 0), (4, 3), (0, 3)])
    12.0
    """
    following = [*points[1:], points[0]]
    return abs(sum(x * down - across * y for (x, y), (across, down) in zip(points, following, strict=True))) / 2


def written(kind: str, verdicts: pd.DataFrame, images: Sequence[ListedImage]) -> str:
    """The text of an export's file.

    Args:
        kind: one of `FORMATS`.
        verdicts: every verdict about a run.
        images: the scored images of the run.
    """
    if kind == "csv":
        return as_csv(verdicts)
    made: Any = as_coco(verdicts, images) if kind == "coco" else as_labelstudio(verdicts, images)
    return json.dumps(made, indent=1, ensure_ascii=False, allow_nan=False)
