"""How many images a lot must hold at least."""

from collections.abc import Sequence

from storage.errors import NoImagesError, UnopenedError
from storage.images.links import LEADS_OUT
from storage.images.lots import TABLE, USABLE, ListedImage, describe_left_out, is_unopened, lot_path, store_lot
from storage.store import Store

LEAST_IMAGES = 2
"""One, and another to be compared with; where there are references besides, one is enough."""


def require_enough(
    images: Sequence[ListedImage], url: str, least: int = LEAST_IMAGES, store: Store | None = None
) -> None:
    """Refuse a lot whose images cannot be scored against each other, or against images of earlier lots.

    Args:
        least: usable images that are needed.
        store: keeps the listing of a lot that is refused; None keeps none.

    Raises:
        NoImagesError: if fewer images than `least` are usable; says what the other files are, and why.
        UnopenedError: if that may be because files could not be opened.
    """
    usable = sum(image.status == USABLE for image in images)
    if usable < least:
        besides = describe_left_out(images)
        details = f"; besides: {besides}" if besides else ""
        linked = any(image.reason == LEADS_OUT for image in images)
        remedy = "add images of the same product" + (", or copies of what the links lead to" if linked else "")
        if any(image.status == "not_finite" for image in images):
            remedy += ", and check the weights if every image is not_finite"
        if store is not None and images:
            details += f"; every file is listed in {store.location(f'{lot_path(store_lot(store, images))}/{TABLE}')}"
        needed = (
            f"at least {LEAST_IMAGES} usable images to be scored against each other" if least > 1 else "a usable image"
        )
        kind = UnopenedError if any(map(is_unopened, images)) else NoImagesError
        raise kind(f"a lot must hold {needed}, got {usable} in {url}{details}; {remedy}")
