"""MVTec LOCO AD: several mask files per image, one per defect, each with a grey value that names its kind.

`defects_config.json` says what each grey value means for a category, and how much of such a defect must be found
(Bergmann et al., 2022: saturation).
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from storage.datasets.category_folders import find_in_folders, images_by_type, unexpected_types
from storage.datasets.folder_contents import folders_in, images_in, relative
from storage.datasets.masks import load_channels, read_grey
from storage.datasets.pairing import shared_stems
from storage.datasets.records import Found, LabelledImage, Layout, Mask
from storage.errors import UnreadableImageError

CONFIG_FILE = "defects_config.json"
DefectKinds = dict[int, tuple[float, bool]]
"""Grey value -> saturation threshold, and whether it is a fraction of the defect's area (else pixels)."""
NORMAL = "good"
DEFECTIVE = ("logical_anomalies", "structural_anomalies")


def find(root: Path, requested: Collection[str] | None) -> Found:
    """The test images of each category with their defect channels; see `storage.datasets.list_categories`.

    Opens every mask file of the requested categories, as only its pixels tell which defect it shows.
    """
    return find_in_folders(root, requested, _list_category)


LAYOUT = Layout(
    find,
    (
        "<category>/test/good/000.png",
        "<category>/test/logical_anomalies/000.png (and structural_anomalies)",
        "<category>/ground_truth/logical_anomalies/000/000.png, 001.png … (one file and one grey value per defect)",
        f"<category>/{CONFIG_FILE}: a list of objects with pixel_value, saturation_threshold, relative_saturation",
    ),
    ("*/test/*", "*/ground_truth/*/*", "*/train/**", "*/validation/**"),
)


def _list_category(root: Path, category: str) -> tuple[list[LabelledImage], list[str]]:
    by_type, problems = images_by_type(root, category, required=(NORMAL, *DEFECTIVE))
    problems += unexpected_types(category, by_type, (NORMAL, *DEFECTIVE))
    kinds, wrong = read_defect_kinds(root / category / CONFIG_FILE)
    if not (root / category / "ground_truth").is_dir():  # then nothing is to be looked up
        wrong = []
    problems += [f"{category}/{problem}" for problem in wrong]
    listed = [LabelledImage(relative(image, root), NORMAL, 0) for image in by_type.get(NORMAL, [])]
    for name in DEFECTIVE:
        images = by_type.get(name, [])
        problems += shared_stems(root, images)
        mask_folders = root / category / "ground_truth" / name
        for image in images:
            masks, wrong = _list_masks(root, mask_folders / image.stem, kinds)
            problems += wrong
            listed.append(LabelledImage(relative(image, root), name, 1, tuple(masks)))
        stems = {image.stem for image in images}
        orphans = [folder for folder in folders_in(mask_folders) if name in by_type and folder.name not in stems]
        orphans += images_in(mask_folders)
        if orphans:  # either name may be wrong
            without = [image for image in images if not images_in(mask_folders / image.stem)]
            problems += [
                f"{relative(image, root)} has no mask in {relative(mask_folders / image.stem, root)}"
                for image in without
            ]
        problems += [f"{relative(orphan, root)} belongs to no image" for orphan in orphans]
    return listed, problems


def _list_masks(root: Path, folder: Path, kinds: DefectKinds) -> tuple[list[Mask], list[str]]:
    masks, problems = [], []
    for file in images_in(folder):
        path = relative(file, root)
        try:
            counts = read_grey(file).histogram()
        except UnreadableImageError as error:
            problems.append(str(error))
            continue
        values = [value for value, count in enumerate(counts) if value and count]
        if len(values) != 1:
            problems.append(f"{path} must have one grey value beside 0, got {values}")
        elif values[0] in kinds:
            masks.append(Mask(path, values[0], *kinds[values[0]]))
        elif kinds:
            known = ", ".join(map(str, sorted(kinds)))
            problems.append(f"{path} has the grey value {values[0]}, which {CONFIG_FILE} lacks; known: {known}")
    return masks, problems


def read_defect_kinds(config: Path) -> tuple[DefectKinds, list[str]]:
    """The grey values a category uses.

    Args:
        config: the file; need not exist.

    Returns:
        The kinds and no problem, or none and the problems, each starting with the file's name.
    """
    if not config.is_file():
        return {}, [f"{config.name} is missing"]
    try:
        entries = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        return {}, [f"{config.name} must be JSON, got {error}"]
    if not isinstance(entries, list) or not entries:
        return {}, [f"{config.name} must hold a list of defects, got {entries!r:.60}"]
    wrong = [f"{config.name} entry {index} {flaw}" for index, entry in enumerate(entries) if (flaw := _flaw(entry))]
    if wrong:
        return {}, wrong
    values = [entry["pixel_value"] for entry in entries]
    if len(set(values)) < len(values):
        return {}, [f"{config.name} must give each defect a pixel_value of its own, got {values}"]
    kinds = [(float(entry["saturation_threshold"]), entry["relative_saturation"]) for entry in entries]
    return dict(zip(values, kinds, strict=True)), []


def _flaw(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return f"must be an object, got {entry!r:.60}"
    value, threshold, relative = (
        entry.get(key) for key in ("pixel_value", "saturation_threshold", "relative_saturation")
    )
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 255:
        return f"must have a pixel_value from 1 to 255, got {value!r}"
    if not isinstance(relative, bool):
        return f"must have a relative_saturation of true or false, got {relative!r}"
    if not isinstance(threshold, int | float) or isinstance(threshold, bool) or not 0 < threshold < float("inf"):
        return f"must have a saturation_threshold above 0, got {threshold!r}"
    if relative and threshold > 1:
        return f"must have a relative saturation_threshold of at most 1, got {threshold!r}"
    return None


def saturation_pixels(mask: Mask, area: int) -> int:
    """Pixels of a defect that must be found for it to count as fully found.

    A missing object may be marked over its whole possible area, of which finding a part is enough.

    Args:
        mask: a defect channel, with its threshold.
        area: the channel's defective pixels.

    Returns:
        int(threshold · area) when the threshold is relative, else min(threshold, area); at least one pixel, since a
        defect is not found before any of it is: half of a single pixel would be none.

    Raises:
        ValueError: if the mask carries no threshold.
    """
    if mask.saturation_threshold is None:
        raise ValueError(
            f"mask must carry a saturation threshold, got none for {mask.path}; list the dataset as mvtec_loco"
        )
    part = mask.saturation_threshold * area if mask.relative_saturation else min(mask.saturation_threshold, area)
    return max(1, int(part))


def loco_defects(root: Path | str, image: LabelledImage) -> tuple[np.ndarray, np.ndarray]:
    """The defect channels of one image at original size, for AU-sPRO.

    Args:
        image: as listed by the dataset `mvtec_loco`.

    Returns:
        Masks, bool (D, H, W), and saturation in pixels, int64 (D,); D is 0 for a normal image.

    Raises:
        ValueError: if the image was listed by another dataset.
        UnreadableImageError: if a mask, or the normal image, cannot be decoded.
        DatasetLayoutError: if the masks of the image differ in size.
    """
    channels = load_channels(root, image)[: len(image.masks)]
    areas = channels.sum(axis=(1, 2))
    saturation = [saturation_pixels(mask, int(area)) for mask, area in zip(image.masks, areas, strict=True)]
    return channels, np.array(saturation, dtype=np.int64)
