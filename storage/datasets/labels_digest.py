"""Digest of labels and masks, part of the key of metrics, so that changed labels give new metrics."""

import hashlib
from pathlib import Path

from storage.artefacts import digest
from storage.datasets.records import Category


def labels_digest(root: Path | str, category: Category) -> str:
    """A digest of a category's labels and of the content of its mask files.

    Raises:
        OSError: if a mask cannot be read.
    """
    images = [
        [image.path, image.defect_type, image.label, [[_sha256(root, mask.path), repr(mask)] for mask in image.masks]]
        for image in category.images
    ]
    return digest({"dataset": category.dataset, "category": category.name, "images": images})


def _sha256(root: Path | str, path: str) -> str:
    return hashlib.sha256((Path(root) / path).read_bytes()).hexdigest()
