"""Real-IAD: every image and mask is named in a category's JSON file, whose paths must stay inside the root.

Each part was photographed by five cameras; their images are one lot.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from storage.datasets.folder_contents import natural_key
from storage.datasets.records import Found, LabelledImage, Layout, Mask
from storage.datasets.untrusted_paths import Spelling, path_problem

SPLITS = ("realiad_jsons/realiad_jsons", "realiad_jsons", "")
"""Folders that may hold the JSON files of the one-category setting, the first that does is read."""
IMAGES = ("realiad_1024", "realiad_512", "realiad_256", "realiad_raw", "")
"""Folders that may hold the images: the first that is there."""
NORMAL = "OK"


def find(root: Path, requested: Collection[str] | None) -> Found:
    """The images of each category's split `test` with their masks; see `storage.datasets.list_categories`."""
    folders = (root / place for place in SPLITS)
    splits = next((folder for folder in folders if folder.is_dir() and any(folder.glob("*.json"))), None)
    if splits is None:
        return Found({}, ["no realiad_jsons/realiad_jsons/<category>.json found"])
    present = sorted((file.stem for file in splits.glob("*.json")), key=natural_key)
    names = present if requested is None else sorted(set(requested), key=natural_key)
    problems = [f"category {name!r} is unknown; known: {', '.join(present)}" for name in names if name not in present]
    images: dict[str, list[LabelledImage]] = {}
    for name in names:
        if name in present:
            images[name], wrong = _list_category(root, splits / f"{name}.json")
            problems += wrong
    return Found(images, problems)


LAYOUT = Layout(
    find,
    (
        "realiad_jsons/realiad_jsons/<category>.json, each with meta (prefix, normal_class) and test, a list of",
        '{"anomaly_class": "AK", "image_path": "NG/AK/S0001/….jpg", "mask_path": "NG/AK/S0001/….png"}',
        "realiad_1024/<prefix>/<image_path> (or realiad_512, realiad_256, realiad_raw)",
    ),
)


def _list_category(root: Path, split: Path) -> tuple[list[LabelledImage], list[str]]:
    name = split.relative_to(root).as_posix()
    try:
        content = json.loads(split.read_text(encoding="utf-8"))
        entries, meta = content["test"], content.get("meta", {})
        texts = [str(meta.get("prefix", split.stem)), str(meta.get("normal_class", NORMAL))]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise TypeError("test must be a list of objects")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [], [f"{name} must be JSON with a list test of images, got {type(error).__name__}: {error}"]
    folder = PurePosixPath(next(folder_name for folder_name in IMAGES if (root / folder_name).is_dir())) / texts[0]
    spelling = Spelling(root)
    images: list[LabelledImage] = []
    problems: list[str] = []
    for number, entry in enumerate(entries):
        named = (str(folder / str(entry[key])) if entry.get(key) else "" for key in ("image_path", "mask_path"))
        image, mask = map(spelling.on_disk, named)
        defect = str(entry.get("anomaly_class") or "")
        wrong = list(_entry_problems(root, split.stem, image, mask, defect))
        problems += [f"{name} test entry {number}: {problem}" for problem in wrong]
        if not wrong:
            label = int(defect != texts[1])
            masks = (Mask(mask),) if label and mask and (root / mask).is_file() else ()
            images.append(LabelledImage(image, defect, label, masks))
    return images, problems or list(_listing_problems(name, images))


def _entry_problems(root: Path, category: str, image: str, mask: str, defect: str) -> Iterator[str]:
    if not defect:
        yield "anomaly_class is not named"
    if problem := path_problem(root, image, category):
        yield f"image_path {problem}"
    if problem := path_problem(root, mask, category, may_lack=True):
        yield f"mask_path {problem}"


def _listing_problems(name: str, images: list[LabelledImage]) -> Iterator[str]:
    counts = Counter(image.path for image in images)
    repeated = {path: count for path, count in counts.items() if count > 1}
    yield from (f"{name} must name each image once, got {path!r} {count} times" for path, count in repeated.items())
    for label, kind in enumerate(("normal", "defective")):
        if not any(image.label == label for image in images):
            yield f"{name} must have {kind} images in test, got none"
