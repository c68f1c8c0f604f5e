"""VisA: every image and mask is named in `split_csv/1cls.csv`, whose paths must stay inside the root."""

import csv
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from storage.datasets.folder_contents import folders_in, natural_key
from storage.datasets.records import Found, LabelledImage, Layout, Mask
from storage.datasets.untrusted_paths import Spelling, path_problem

SPLIT_FILE = "split_csv/1cls.csv"
_COLUMNS = ("object", "split", "label", "image", "mask")
_LABELS = {"normal": 0, "anomaly": 1}

Rows = dict[int, dict[str, str]]
"""Line number in the split file -> column -> value."""


def find(root: Path, requested: Collection[str] | None) -> Found:
    """The images of each object's split `test` with their masks; see `storage.datasets.list_categories`."""
    rows, problems = _read_test_rows(root)
    if problems:
        return Found({}, problems)
    present = sorted({row["object"] for row in rows.values()}, key=natural_key)
    names = present if requested is None else sorted(set(requested), key=natural_key)
    problems = [f"category {name!r} is unknown; known: {', '.join(present)}" for name in names if name not in present]
    spelling = Spelling(root)
    rows = {
        line: row | {column: spelling.on_disk(row[column]) for column in ("image", "mask")}
        for line, row in rows.items()
        if row["object"] in names
    }
    images: dict[str, list[LabelledImage]] = defaultdict(list)
    for line, row in rows.items():
        wrong = list(_row_problems(root, row))
        problems += [f"{SPLIT_FILE} line {line}: {problem}" for problem in wrong]
        if not wrong:
            images[row["object"]].append(_labelled_image(root, row))
    return Found(images, problems + _repeated_images(rows) + _one_sided_objects(rows))


LAYOUT = Layout(
    find,
    (
        f"{SPLIT_FILE} with the columns object,split,label,image,mask and rows such as",
        "candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/Anomaly/000.png",
        "candle,test,normal,candle/Data/Images/Normal/0000.JPG,",
    ),
)


def _read_test_rows(root: Path) -> tuple[Rows, list[str]]:
    split_file = root / SPLIT_FILE
    if not split_file.is_file():
        return {}, [f"{SPLIT_FILE} is missing{_nested_root_hint(root)}"]
    try:
        with split_file.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            if missing := [column for column in _COLUMNS if column not in (reader.fieldnames or ())]:
                return {}, [f"{SPLIT_FILE} lacks the columns {', '.join(missing)}"]
            numbered = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        return {}, [f"{SPLIT_FILE} must be a table in UTF-8, got {error}"]
    rows = {line: row for line, row in numbered if row["split"] == "test"}
    return rows, [] if rows else [f"{SPLIT_FILE} has no row whose split is test"]


def _labelled_image(root: Path, row: dict[str, str]) -> LabelledImage:
    label = _LABELS[row["label"]]
    has_mask = label and row["mask"] and (root / row["mask"]).is_file()
    masks = (Mask(PurePosixPath(row["mask"]).as_posix()),) if has_mask else ()
    return LabelledImage(PurePosixPath(row["image"]).as_posix(), row["label"], label, masks)


def _row_problems(root: Path, row: dict[str, str]) -> Iterator[str]:
    if row["label"] not in _LABELS:
        yield f"label must be normal or anomaly, got {row['label']!r}"
    if problem := path_problem(root, row["image"], row["object"]):
        yield f"image {problem}"
    if row["label"] == "anomaly" and (problem := path_problem(root, row["mask"], row["object"], may_lack=True)):
        yield f"mask {problem}"


def _repeated_images(rows: Rows) -> list[str]:
    lines: dict[str, list[int]] = defaultdict(list)
    for line, row in rows.items():
        lines[row["image"]].append(line)
    return [
        f"{SPLIT_FILE} must name each image once, got {image!r} on lines {', '.join(map(str, repeated))}"
        for image, repeated in lines.items()
        if len(repeated) > 1 and image
    ]


def _one_sided_objects(rows: Rows) -> list[str]:
    labels: dict[str, set[str]] = defaultdict(set)
    for row in rows.values():
        labels[row["object"]].add(row["label"])
    return [
        f"{SPLIT_FILE} must have {label} rows for {name!r} in the split test, got none"
        for name, found in labels.items()
        for label in _LABELS
        if label not in found
    ]


def _nested_root_hint(root: Path) -> str:
    for folder in folders_in(root):
        if (folder / SPLIT_FILE).is_file():
            return f"; {str(folder)!r} looks like the root"
    return ""
