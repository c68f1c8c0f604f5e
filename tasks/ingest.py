"""Ingest: list the images and store the listing. Never cached, since files may have changed."""

import hashlib
import logging
from collections.abc import Sequence

from planning.lot_job import KnownGood
from planning.task_results import ListedLot
from storage.artefacts import digest
from storage.datasets.stored_categories import read_category
from storage.images.least_images import LEAST_IMAGES, require_enough
from storage.images.listing import list_files, list_folder, require_folder
from storage.images.lots import USABLE, ListedImage, is_unopened, store_lot, usable_images
from storage.store import Store, begin_results

log = logging.getLogger(__name__)


def list_images(folder: str, store: str, least: int = LEAST_IMAGES) -> ListedLot:
    """List the images of a folder into the store.

    Args:
        folder: path or URL.
        least: usable images without which there is nothing to score.

    Raises:
        NoImagesError: if fewer images than that can be scored.
    """
    begin_results(Store(store), folder)
    return keep_listing(list_folder(folder), folder, store, least)


def list_good(folder: str, store: str) -> KnownGood:
    """List photographs of good parts into the store; those that cannot be used are left out and named in the log.

    Raises:
        NoImagesError: if none can be used.
    """
    begin_results(Store(store), folder)
    images = list_folder(folder)
    listing = keep_listing(images, folder, store, 1)
    contents = sorted(image.sha256 for image in usable_images(images))
    return KnownGood(folder, listing.lot_key, digest({"good": contents}))


def list_category(root: str, category: str, store: str, seed: int | None) -> ListedLot:
    """List the images of a dataset's category into the store; repeated content is kept, as in published numbers.

    Args:
        category: its path in the store.
        seed: puts the images into an order that depends on their content alone, not on names or labels; None keeps
            the dataset's order.
    """
    labels = read_category(Store(store), category)
    paths = [image.path for image in labels.images]
    images = list_files(require_folder(root), paths, lot=labels.name, keep_duplicates=True)
    if seed is not None:
        images = sorted(images, key=lambda image: hashlib.sha256(f"{seed} {image.image_id}".encode()).hexdigest())
    return keep_listing(images, root, store)


def keep_listing(images: Sequence[ListedImage], folder: str, store: str, least: int = LEAST_IMAGES) -> ListedLot:
    """Store a listing that is fit to be scored."""
    for image in images:
        if image.status != USABLE:
            log.debug("%s is left out: %s (%s)", image.path, image.status, image.reason)
    log.info("%d files listed in %s, %d of them usable", len(images), folder, len(usable_images(images)))
    require_enough(images, folder, least, Store(store))
    return ListedLot(
        lot_key=store_lot(Store(store), images),
        files=len(images),
        usable=len(usable_images(images)),
        unopened=sum(map(is_unopened, images)),
    )
