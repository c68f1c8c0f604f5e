"""Ingest: look at the images and keep the listing. Never cached: only looking tells whether files changed."""

import hashlib
from collections.abc import Sequence
from typing import Any

from storage.datasets import Category
from storage.images.listing import list_files, list_folder, require_folder
from storage.images.lots import ListedImage, is_unopened, require_enough, store_lot, usable_images
from storage.store import Store


def list_images(folder: str, store: str, least: int = 2) -> dict[str, Any]:
    """List the images of a folder into the store.

    Args:
        folder: path or URL.
        store: where the listing is kept.
        least: usable images without which there is nothing to score.

    Returns:
        `lot_key`, to load the listing with, and the counts `files`, `usable` and `unopened`.

    Raises:
        NoImagesError: if fewer images than that can be scored.
    """
    return keep_listing(list_folder(folder), folder, store, least)


def list_category(root: str, category: Category, store: str, shuffled: bool, seed: int) -> dict[str, Any]:
    """List the images of a dataset's category into the store; repeated content is kept, as in published numbers.

    Args:
        root: the dataset's folder.
        category: which images.
        store: where the listing is kept.
        shuffled: put the images into a seeded order that depends on their content alone, not on names or labels.
        seed: of that spec.

    Returns:
        As `list_images`.
    """
    paths = [image.path for image in category.images]
    images = list_files(require_folder(root), paths, lot=category.name, keep_duplicates=True)
    if shuffled:
        images = sorted(images, key=lambda image: hashlib.sha256(f"{seed} {image.image_id}".encode()).hexdigest())
    return keep_listing(images, root, store)


def keep_listing(images: Sequence[ListedImage], folder: str, store: str, least: int = 2) -> dict[str, Any]:
    """Store a listing that is fit to be scored."""
    require_enough(images, folder, least)
    return {
        "lot_key": store_lot(Store(store), images),
        "files": len(images),
        "usable": len(usable_images(images)),
        "unopened": sum(map(is_unopened, images)),
    }
