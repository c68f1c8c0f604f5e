"""Regions: read the masks of a region of interest and keep the patches inside, on the grid of every layer."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from musc.layers import BackboneSpec
from musc.region import outside_polygons, patches_inside
from planning.lot_job import LotJob, RegionOfInterest
from planning.task_specs import BlockRows, ExtractSpec, RegionRows
from reports.references import placed_in
from storage.artefacts import digest, is_complete
from storage.datasets.masks import read_grey
from storage.given_names import one_form
from storage.images.lots import ListedImage
from storage.products.ignored_places import IgnoredPlaces, read_ignored
from storage.results.regions_of_interest import FOLDER, region_contents, write_regions
from storage.store import Store

log = logging.getLogger(__name__)

NAMED = 5
"""Images named in one message."""
DRAWN_SIDE = 2048
"""Pixels of the longer side at most in which drawn places are filled."""
Masks = dict[tuple[int, int], np.ndarray]


def keep_region(
    store: str, region: RegionOfInterest, images: Sequence[ListedImage], backbones: Sequence[BackboneSpec]
) -> RegionOfInterest:
    """Keep which patches of the images lie inside; the patches decide the key, not the pixels.

    Args:
        region: of the job, its masks not yet read.
        backbones: the network at every image size, smallest first.

    Raises:
        ValueError: if a mask is missing, has other proportions than its image, or leaves a layer without any patch.
        UnreadableImageError: if a mask cannot be decoded.
    """
    grids = sorted({grid for one in backbones for grid in (one.grid, *(layer.grid for layer in one.layers))})
    drawn = read_ignored(Store(store), region.ignored) if region.ignored else None
    if region.each:
        files = masks_of(Path(region.path), images)
        by_content = {image.sha256: read_masks(file, [image], grids, drawn) for image, file in files}
    else:
        by_content = {"": read_masks(Path(region.path) if region.path else None, images, grids, drawn)}
    contents = sorted(by_content)
    masks = {grid: np.stack([by_content[content][grid] for content in contents]) for grid in grids}
    bits = {f"{rows}x{columns}": np.packbits(mask).tobytes().hex() for (rows, columns), mask in masks.items()}
    key = digest({"stage": "regions", "contents": contents, "masks": bits})
    path = f"{FOLDER}/{key}"
    if is_complete(Store(store), path):
        log.debug("the region of interest %s is reused", path)
    else:
        write_regions(Store(store), path, contents, masks)
    return replace(region, patches=path)


def masks_of(folder: Path, images: Sequence[ListedImage]) -> list[tuple[ListedImage, Path]]:
    """The mask file of each image: of the same path without its suffix, or where that is the only one, the same stem.

    Raises:
        ValueError: naming images without a mask, or with several.
    """
    by_path: dict[str, list[Path]] = defaultdict(list)
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            by_path[one_form(file.relative_to(folder).with_suffix("").as_posix())].append(file)
            by_stem[one_form(file.stem)].append(file)
    masks, absent = [], []
    for image in images:
        name = PurePosixPath(one_form(image.path)).with_suffix("")
        files = by_path.get(str(name)) or by_stem.get(name.name) or []
        if len(files) == 1:
            masks.append((image, files[0]))
        else:
            absent.append(image.path)
    if absent:
        names = ", ".join(absent[:NAMED]) + (f" and {len(absent) - NAMED} more" if len(absent) > NAMED else "")
        raise ValueError(
            f"roi must be a folder with one mask of the same name for every image, with any suffix, got none or "
            f"several in {folder} for {len(absent)} of {len(images)}: {names}; add them"
        )
    return masks


def read_masks(
    path: Path | None,
    images: Sequence[ListedImage],
    grids: Sequence[tuple[int, int]],
    drawn: IgnoredPlaces | None = None,
) -> Masks:
    """The patches inside a mask on every grid: any value above 0 is inside, and no place drawn to be ignored.

    Args:
        path: of the mask; None is all of the image.
        drawn: places to ignore; needed without a mask.

    Raises:
        ValueError: if it has other proportions than an image, or some grid has no patch inside.
    """
    pixels, subjects = np.ones((1, 1), dtype=bool), []
    if path is not None:
        pixels = np.asarray(read_grey(path)) > 0
        subjects.append(f"mask of the region {path}")
        require_proportions(subjects[0], pixels.shape[::-1], images, "export it again")
    if drawn is not None:
        subjects.append(f"places that {drawn.name} drew to be ignored in {drawn.category}")
        require_proportions(subjects[-1], (drawn.width, drawn.height), images, "draw them on one of these photographs")
        if path is None:
            pixels = np.ones(within(drawn.width, drawn.height), dtype=bool)
        height, width = pixels.shape
        pixels &= outside_polygons(drawn.polygons(width, height), (height, width))
    masks = {grid: patches_inside(pixels, grid) for grid in grids}
    empty = [grid for grid, mask in masks.items() if not mask.any()]
    if empty:
        advice = "draw a larger region, or leave out --roi" if drawn is None else "leave more of the photograph"
        raise ValueError(
            f"{' without '.join(subjects)} must hold at least half of one patch in every layer, got "
            f"{pixels.mean():.1%} of the image inside and no patch of the {empty[0][0]} × {empty[0][1]} grid; {advice}"
        )
    return masks


def within(width: int, height: int, side: int = DRAWN_SIDE) -> tuple[int, int]:
    """Height and width of a picture no longer than a side."""
    scale = min(1, side / max(width, height))
    return max(1, round(height * scale)), max(1, round(width * scale))


def require_proportions(subject: str, size: tuple[int, ...], images: Sequence[ListedImage], advice: str) -> None:
    """Refuse what has other proportions than an image that it is for.

    Raises:
        ValueError: naming the image and both sizes.
    """
    width, height = size
    different = [image for image in images if abs(image.width * height - image.height * width) >= max(width, height)]
    if different:
        raise ValueError(
            f"{subject} must have the proportions of {different[0].path}, "
            f"{different[0].width} × {different[0].height} pixels seen upright, got {width} × {height}; {advice}"
        )


def region_rows(
    job: LotJob,
    contents: Sequence[str],
    earlier: Sequence[BlockRows] = (),
    good: Sequence[ExtractSpec] = (),
    good_images: Sequence[ListedImage] = (),
) -> RegionRows | None:
    """Which stored region belongs to which image of a lot and to which of its further references.

    Args:
        contents: SHA-256 of the lot's images, in order.
    """
    if job.region is None:
        return None
    store = Store(job.store)
    stored = region_contents(store, job.region.patches)
    if not job.region.each:
        return RegionRows(job.region.patches, (0,) * len(contents), (0,) * sum(len(rows.rows) for rows in earlier))
    row_of = {content: row for row, content in enumerate(stored)}
    located = placed_in([spec.path for spec in good], good_images, store) if good else []
    content_at = {place: image.sha256 for image, place in located}
    further = [content_at[rows.block, row] for rows in earlier for row in rows.rows]
    return RegionRows(job.region.patches, tuple(row_of[one] for one in contents), tuple(row_of[one] for one in further))
