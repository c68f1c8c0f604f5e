"""Verdicts as a labelled folder in the layout of MVTec AD: photographs, and masks of the regions that were drawn."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
from PIL import Image, ImageDraw

from reports.exports import clear_verdicts
from reports.run_record import read_record
from storage.errors import ImageChangedError, UnreadableImageError
from storage.images.decode import open_picture
from storage.images.lots import ListedImage, read_image
from storage.results.runs import Run
from storage.results.verdicts import DEFECTIVE, GOOD
from storage.store import PARTIAL, Store

MVTEC = "mvtec"
SUFFIXES = {"JPEG": ".jpg", "JPEG2000": ".jp2", "TIFF": ".tif", "PPM": ".ppm"}
"""Of formats that are not called like their suffix."""
NOT_DRAWN = "judged defective without a drawn region, so there is no mask"
GONE = "no longer in its folder as it was scored"
EMPTY = "drawn regions hold no pixel"


@dataclass(frozen=True)
class LabelledFolder:
    """What was written."""

    good: int
    defective: int
    left_out: dict[str, list[str]]
    """Paths of judged images that are not in it, by reason."""


def write_labelled_folder(run: Run, verdicts: pd.DataFrame, target: Path) -> LabelledFolder:
    """Write the images judged good, and those judged defective whose defect was drawn, as `musc benchmark folder` reads
    them: `<category>/test/{good,defective}/<image id>.png`, `<category>/ground_truth/defective/<image id>_mask.png`.

    Names are made of image ids, because names of photographs may be anything; `images.csv` in the category's folder
    says which is which. The folder is put in place when all of it is written.

    Args:
        run: finished.
        verdicts: every verdict about it.
        target: a folder that does not exist yet.

    Raises:
        ValueError: if something lies at the target.
    """
    if target.exists():
        raise ValueError(f"output must be a new folder, got {target}, which is there already; give another --output")
    record, known = read_record(run), {image.image_id: image for image in run.scored_images()}
    photographs, aside = Store(record.job.folder), target.with_name(f"{target.name}{PARTIAL}{uuid4().hex}")
    category = aside / folder_name(record.job.category)
    counts = {GOOD: 0, DEFECTIVE: 0}
    left_out: dict[str, list[str]] = defaultdict(list)
    rows: list[dict[str, object]] = []
    for row in clear_verdicts(verdicts).to_dict("records"):
        image, kind = known[row["image_id"]], row["verdict"]
        mask = mask_of(row["regions"], image) if kind == DEFECTIVE else None
        reason = refusal(kind, row["regions"], mask)
        content = None if reason else content_of(photographs, image)
        if content is None:
            left_out[reason or GONE].append(image.path)
            continue
        name = f"{image.image_id}{suffix_of(content)}"
        write(category / "test" / kind / name, content)
        if mask is not None:
            place = category / "ground_truth" / kind
            place.mkdir(parents=True, exist_ok=True)
            mask.save(place / f"{image.image_id}_mask.png")
        counts[kind] += 1
        rows.append({"file": f"test/{kind}/{name}", **{name: row[name] for name in ("path", "name", "time", "note")}})
    category.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=["file", "path", "name", "time", "note"]).to_csv(category / "images.csv", index=False)
    aside.rename(target)
    return LabelledFolder(counts[GOOD], counts[DEFECTIVE], dict(left_out))


def refusal(kind: str, regions: list[Any], mask: Image.Image | None) -> str:
    """Why an image cannot be used; empty if it can."""
    if kind == GOOD:
        return ""
    if not regions:
        return NOT_DRAWN
    return "" if mask is not None and mask.getbbox() else EMPTY


def mask_of(regions: list[Any], image: ListedImage) -> Image.Image:
    """The drawn regions of an image filled with white, the rest black."""
    mask = Image.new("L", (image.width, image.height))
    pen = ImageDraw.Draw(mask)
    for region in regions:
        pen.polygon([(float(x), float(y)) for x, y in region["points"]], fill=255)
    return mask


def content_of(photographs: Store, image: ListedImage) -> bytes | None:
    """The file of an image; None if it is not what was scored any more."""
    try:
        return read_image(photographs, image)
    except (ImageChangedError, OSError):
        return None


def suffix_of(content: bytes) -> str:
    """The suffix of a file's format, whatever its name says.

    Raises:
        UnreadableImageError: if it is no image.
    """
    kind = open_picture(content).format
    if kind is None:
        raise UnreadableImageError("its content is no image")
    return SUFFIXES.get(kind, f".{kind.lower()}")


def folder_name(category: str) -> str:
    """A category as the name of a folder; categories are plain names already, unless somebody has edited a record."""
    return category.replace("/", "_").replace("\\", "_").lstrip(".") or "category"


def write(path: Path, content: bytes) -> None:
    """Write a file, its folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
