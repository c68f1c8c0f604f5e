"""Evaluate: a run's scores and maps against the labels and masks of a dataset's category."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from musc.maps import map_size, maps_of_run, pixels_inside
from musc.metrics import image_metrics, pixel_metrics
from reports.run_record import read_record
from storage.datasets import Category, LabelledImage, load_mask_at
from storage.datasets.mask_rules import load_every
from storage.images.lots import USABLE
from storage.results.runs import Run


@dataclass(frozen=True)
class Labelled:
    """The scored images of a run that a category has labels for."""

    images: tuple[LabelledImage, ...]
    scores: np.ndarray
    """Float64 (N,), rescored."""
    patch_scores: np.ndarray
    """Float32 (N, rows, columns)."""
    image_size: tuple[int, int]
    """Height and width of the backbone's input."""

    @property
    def pixels_known(self) -> list[bool]:
        """For each image whether it is known which of its pixels are defective."""
        return [image.pixels_known for image in self.images]

    @property
    def labels(self) -> np.ndarray:
        """0 normal, 1 defective: int (N,)."""
        return np.array([image.label for image in self.images])

    def maps(self, size: tuple[int, int]) -> np.ndarray:
        """Anomaly maps: float32 (N, *size)."""
        return maps_of_run(self.patch_scores, size)

    def inside(self, size: tuple[int, int]) -> np.ndarray | None:
        """Pixels that were looked at: bool (N, *size); None if all were."""
        if not np.isnan(self.patch_scores).any():
            return None
        rows, columns = self.patch_scores.shape[1:]
        return pixels_inside(torch.from_numpy(self.patch_scores).flatten(1), (rows, columns), size).numpy()

    def only(self, mask: Sequence[bool]) -> "Labelled":
        """A part of the images."""
        images = tuple(image for image, keep in zip(self.images, mask, strict=True) if keep)
        rows = np.asarray(mask)
        return Labelled(images, self.scores[rows], self.patch_scores[rows], self.image_size)


def labelled(run: Run, category: Category, root: str | Path, folder: str | Path | None = None) -> Labelled:
    """Match a run's images with a category's labels by the files' places.

    Args:
        run: a finished run.
        category: whose every image is in the run.
        root: the folder the category's paths are relative to.
        folder: the one the run's paths are relative to; the one it was made from unless given, but the run found in
            the store may have been made before the files were moved.

    Raises:
        ValueError: if the run lacks an image of the category, naming the first ones.
    """
    record, images, table = read_record(run), run.images(), run.scores()
    folder = Path(folder or record.job.folder)
    score_of = dict(zip(table["path"], table["score"], strict=True))
    usable = images.loc[images["status"] == USABLE, "path"]
    position_of = {(folder / path).resolve(): (row, path) for row, path in enumerate(usable)}
    paths = [(Path(root) / image.path).resolve() for image in category.images]
    absent = [image.path for image, place in zip(category.images, paths, strict=True) if place not in position_of]
    if absent:
        raise ValueError(
            f"run must hold scores of all {len(paths)} images of {category.name}, but {len(absent)} were not scored: "
            f"{', '.join(absent[:5])}; images.parquet in {run.path} says why"
        )
    matches = [position_of[place] for place in paths]
    patch_scores = run.patch_scores()
    return Labelled(
        category.images,
        np.array([score_of[path] for _, path in matches]),
        patch_scores[[row for row, _ in matches]],
        map_size(record.job.backbone.image_size, (patch_scores.shape[1], patch_scores.shape[2])),
    )


def network_size_metrics(results: Labelled, dataset: str, root: str | Path) -> dict[str, float]:
    """Image and pixel metrics at network size, as the published tables have them.

    Metrics of pixels leave out the defective images whose masks are missing.

    Args:
        results: the scored images of one category.
        dataset: decides how masks are resized.
        root: the folder the images' paths are relative to.

    Returns:
        `image_auroc`, `image_f1_max`, `image_ap`, `pixel_auroc`, `pixel_f1_max`, `pixel_ap`, `pixel_aupro` (exact)
        and `pixel_aupro_reference` (200 thresholds), each in [0, 1]; NaN where a metric is not defined.

    Raises:
        DatasetLayoutError: naming every image whose mask cannot be used.
    """
    size = results.image_size
    with_masks = results.only(results.pixels_known)
    masks = np.stack(load_every(with_masks.images, lambda image: load_mask_at(root, image, size, dataset)))
    pixels = pixel_metrics(masks, with_masks.maps(size), inside=with_masks.inside(size))
    return {
        **{f"image_{name}": value for name, value in image_metrics(results.labels, results.scores).items()},
        **{f"pixel_{name}": value for name, value in pixels.items()},
    }
