"""MVTec LOCO AD: several mask files per image, one per defect, each with a grey value that names its kind."""

from collections.abc import Collection
from pathlib import Path

from storage.datasets.files import folders_in, images_in, relative
from storage.datasets.folders import find_in_folders, images_by_type, unexpected_types
from storage.datasets.loco_config import CONFIG_FILE, DefectKinds, read_defect_kinds
from storage.datasets.masks import read_grey
from storage.datasets.pairing import shared_stems
from storage.datasets.records import Found, LabelledImage, Layout, Mask
from storage.errors import UnreadableImageError

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
)


def _list_category(root: Path, category: str) -> tuple[list[LabelledImage], list[str]]:
    by_type, problems = images_by_type(root, category, required=(NORMAL, *DEFECTIVE))
    problems += unexpected_types(category, by_type, (NORMAL, *DEFECTIVE))
    kinds, wrong = read_defect_kinds(root / category / CONFIG_FILE)
    problems += [f"{category}/{problem}" for problem in wrong]
    listed = [LabelledImage(relative(image, root), NORMAL, 0) for image in by_type.get(NORMAL, [])]
    for name in DEFECTIVE:
        images = by_type.get(name, [])
        problems += shared_stems(root, images)
        mask_folders = root / category / "ground_truth" / name
        for image in images:
            masks, wrong = _list_masks(root, image, mask_folders / image.stem, kinds)
            problems += wrong
            listed.append(LabelledImage(relative(image, root), name, 1, tuple(masks)))
        stems = {image.stem for image in images}
        orphans = [folder for folder in folders_in(mask_folders) if name in by_type and folder.name not in stems]
        problems += [f"{relative(folder, root)} belongs to no image" for folder in orphans]
    return listed, problems


def _list_masks(root: Path, image: Path, folder: Path, kinds: DefectKinds) -> tuple[list[Mask], list[str]]:
    files = images_in(folder)
    if not files:
        return [], [f"{relative(image, root)} has no mask in {relative(folder, root)}"]
    masks, problems = [], []
    for file in files:
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
