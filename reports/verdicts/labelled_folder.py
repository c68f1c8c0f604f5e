"""Verdicts as a labelled folder in the layout of MVTec AD: photographs, and masks of the regions that were drawn."""

import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from PIL import Image, ImageDraw

from reports.exports.csv_coco_labelstudio import csv_bytes
from reports.run_record import read_record
from reports.verdicts.counts import clear_verdicts
from storage.errors import ImageChangedError
from storage.given_names import caseless
from storage.images.decode import format_of, read_header
from storage.images.formats.orientation import EXIF_ORIENTATION, UPRIGHT, turn_upright
from storage.images.lots import ListedImage, read_image
from storage.results.runs import Run
from storage.results.verdicts import DEFECTIVE, GOOD
from storage.store import PARTIAL, Store

if TYPE_CHECKING:
    import pandas as pd


MVTEC = "mvtec"
SUFFIXES = {"JPEG": ".jpg", "JPEG2000": ".jp2", "TIFF": ".tif"}
"""Of formats that are not called like their suffix."""
BACK = {6: 8, 8: 6}
"""By EXIF orientation, the one that turns back; the others turn back themselves."""
NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]')
"""Signs that the name of a folder may not have on some disk."""
GONE = "no longer in its folder as it was scored"
COLUMNS = ("file", "mask", "path", "kind", "severity", "name", "time", "note")


@dataclass(frozen=True)
class JudgedImage:
    """One image with a clear verdict."""

    image: ListedImage
    label: str
    """`good` or `defective`."""
    kind: str
    """Of the defect; empty where none is told."""
    regions: Sequence[Any]
    """Drawn places of which at least one pixel lies in the image; none if there are no such."""
    facts: dict[str, object]
    """Kind and severity, who judged, when, and the note."""


@dataclass(frozen=True)
class LabelledFolder:
    """What was written."""

    good: int
    defective: int
    left_out: list[str]
    """Paths of judged images that are gone or changed."""


def judged_images(run: Run, verdicts: "pd.DataFrame") -> list[JudgedImage]:
    """The images of a finished run that are judged good or defective, in the order of their paths."""
    by_id = {image.image_id: image for image in run.scored_images()}
    judged = []
    for row in clear_verdicts(verdicts).to_dict("records"):
        image, label = by_id[row["image_id"]], row["verdict"]
        has_regions = label == DEFECTIVE and mask_of(row["regions"], image).getbbox() is not None
        regions = row["regions"] if has_regions else ()
        judged.append(JudgedImage(image, label, row["kind"], regions, {name: row[name] for name in COLUMNS[2:]}))
    return judged


def lacking_places(judged: Sequence[JudgedImage]) -> list[str]:
    """Paths of the images judged defective in which nobody has drawn where."""
    return [image.image.path for image in judged if image.label == DEFECTIVE and not image.regions]


def write_labelled_folder(run: Run, judged: Sequence[JudgedImage], target: Path) -> LabelledFolder:
    """Write judged images as `musc benchmark folder` reads them: `<category>/test/<type>/<image id>.png`, and their
    drawn places as `<category>/ground_truth/<type>/<image id>_mask.png`; without any, the label stands alone. The type
    is `good`, `defective`, or the kind of a defect.

    Names are made of image ids, because names of photographs may be anything; `images.csv` in the category's folder
    says which is which. The folder is put in place when all of it is written.

    Args:
        run: finished.
        target: a folder that does not exist yet.

    Raises:
        ValueError: if something lies at the target.
    """
    import pandas as pd

    if target.exists():
        raise ValueError(f"output must be a new folder, got {target}, which is there already; give another --output")
    record = read_record(run)
    photographs, staging = Store(record.job.folder), target.with_name(f"{target.name}{PARTIAL}{uuid4().hex}")
    category = staging / safe_folder_name(record.job.category)
    counts, folders = {GOOD: 0, DEFECTIVE: 0}, type_folders({image.kind for image in judged})
    left_out: list[str] = []
    rows: list[dict[str, object]] = []
    for image in judged:
        content = content_of(photographs, image.image)
        if content is None:
            left_out.append(image.image.path)
            continue
        folder = folders.get(image.kind, image.label)
        file = f"test/{folder}/{image.image.image_id}{suffix_of(content)}"
        write(category / file, content)
        mask = f"ground_truth/{folder}/{image.image.image_id}_mask.png" if image.regions else ""
        if mask:
            write(category / mask, mask_content(image, read_header(content).orientation))
        counts[image.label] += 1
        rows.append({"file": file, "mask": mask, **image.facts})
    write(category / "images.csv", csv_bytes(pd.DataFrame(rows, columns=list(COLUMNS))))
    staging.rename(target)
    return LabelledFolder(counts[GOOD], counts[DEFECTIVE], left_out)


def mask_content(judged: JudgedImage, orientation: int) -> bytes:
    """A mask as a PNG that is turned as its image is stored, and says so: what is not turned itself could be either."""
    stored = turn_upright(mask_of(judged.regions, judged.image), BACK.get(orientation, orientation))
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, "PNG", **({} if orientation == UPRIGHT else {"exif": exif}))
    return buffer.getvalue()


def mask_of(regions: Sequence[Any], image: ListedImage) -> Image.Image:
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
    image_format = format_of(content)
    return SUFFIXES.get(image_format, f".{image_format.lower()}")


def type_folders(kinds: Collection[str]) -> dict[str, str]:
    """Folders of kinds by their names, each of its own and none of them `good`, on any disk.

    >>> type_folders({"dent", "Dent", "a/b", ".good", ""})
    {'.good': 'good-2', 'Dent': 'Dent', 'a/b': 'a_b', 'dent': 'dent-2'}
    """
    folders: dict[str, str] = {}
    for kind in sorted(set(kinds) - {""}):
        base = NOT_IN_NAMES.sub("_", kind).strip(". ") or "kind"
        taken = {caseless(name) for name in (GOOD, DEFECTIVE, *folders.values())}
        numbered = (base if number == 1 else f"{base}-{number}" for number in count(1))
        folders[kind] = next(name for name in numbered if caseless(name) not in taken)
    return folders


def safe_folder_name(category: str) -> str:
    """A category as the name of a folder; categories are plain names already, unless somebody has edited a record."""
    return category.replace("/", "_").replace("\\", "_").lstrip(".") or "category"


def write(path: Path, content: bytes) -> None:
    """Write a file, its folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
