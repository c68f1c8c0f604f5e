"""Verdicts for other tools, made from the verdicts alone; no photograph is read.

| format | holds |
|---|---|
| `csv` | every verdict, withdrawn, undone and overruled ones too, `counts` telling which one stands |
| `coco` | images looked at, judged `defective` or `good`; a drawn region is an annotation of object detection |
| `labelstudio` | tasks with an annotation each: a choice, and drawn regions in percent (Label Studio's JSON) |
| `cvat` | images looked at, judged `defective` or `good`: a tag, and drawn regions as boxes and polygons (images 1.1) |
| `yolo`, `yolo-segments` | of these the good ones, and the defective ones with drawn regions, in a ZIP archive |

The kinds of a product are categories, labels or classes behind `defective`, which is what a place without a kind is.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.exports.csv_coco_labelstudio import Marked, as_coco, as_labelstudio, csv_bytes, json_bytes
from reports.exports.cvat_yolo import as_cvat, as_yolo
from reports.verdicts.counts import clear_verdicts
from storage.images.lots import ListedImage
from storage.products.defect_kinds import kinds_ever_listed
from storage.results.verdicts import current_verdicts
from storage.store import Store

if TYPE_CHECKING:
    import pandas as pd


YOLO, YOLO_SEGMENTS = "yolo", "yolo-segments"
FORMATS = {"csv": "csv", "coco": "json", "labelstudio": "json", "cvat": "xml", YOLO: "zip", YOLO_SEGMENTS: "zip"}
"""Formats that are one file, and its suffix."""
DESCRIPTION = "Verdicts about a lot scored with MuSc"


def as_csv(verdicts: "pd.DataFrame") -> bytes:
    """Every verdict as a row, the earliest first, `regions` as JSON."""
    counted_ids = set(current_verdicts(verdicts)["verdict_id"])
    table = verdicts.assign(
        counts=[verdict_id in counted_ids for verdict_id in verdicts["verdict_id"]],
        regions=[json.dumps(regions) for regions in verdicts["regions"]],
    )
    return csv_bytes(table)


def mark_images(verdicts: "pd.DataFrame", images: Sequence[ListedImage], columns: Sequence[str]) -> list[Marked]:
    """The images of a run with people's verdicts.

    Args:
        images: the scored images of the run.
    """
    by_id = {image.image_id: image for image in images}
    return [
        Marked(
            by_id[row["image_id"]],
            row["verdict"],
            row["regions"],
            {name: row[name] for name in columns},
            row["kind"],
            row["severity"],
        )
        for _, row in verdicts.iterrows()
    ]


def numbered_kinds(store: Store, verdicts: "pd.DataFrame") -> tuple[str, ...]:
    """The kinds of a run's product in the order of their numbers in exports, which never change.

    Args:
        verdicts: every verdict about a run; kinds of theirs that no list ever had, from files
            edited by hand, are last.

    Raises:
        FormatVersionError, DamagedError: if a list of kinds cannot be read.
    """
    listed = kinds_ever_listed(store, str(verdicts["category"].iloc[0])) if len(verdicts) else ()
    return (*listed, *sorted(set(verdicts["kind"]) - {"", *listed}))


def verdicts_content(
    kind: str,
    verdicts: "pd.DataFrame",
    images: Sequence[ListedImage],
    prefix: str | None = None,
    kinds: Sequence[str] = (),
) -> bytes:
    """The content of an export's file.

    Args:
        kind: one of `FORMATS`.
        verdicts: every verdict about a run.
        images: the scored images of the run.
        prefix: of the addresses from which Label Studio loads photographs; see `csv_coco_labelstudio.as_labelstudio`.
        kinds: every kind of the verdicts, as `numbered_kinds` has them.

    Raises:
        ValueError: if YOLO cannot name the images apart; see `cvat_yolo.as_yolo`.
    """
    if kind == "csv":
        return as_csv(verdicts)
    if kind != "labelstudio":
        clear = mark_images(clear_verdicts(verdicts), images, ("verdict", "kind", "severity"))
        if kind == "coco":
            return json_bytes(as_coco(clear, DESCRIPTION, kinds))
        if kind == "cvat":
            return as_cvat(clear, DESCRIPTION, "manual", kinds)
        return as_yolo(clear, outlines=kind != YOLO, kinds=kinds)
    columns = ("raw_score", "name", "time", "note", "looked")
    return json_bytes(as_labelstudio(mark_images(current_verdicts(verdicts), images, columns), prefix=prefix))
