"""Proportions of the photographs of a lot, told by a few of them."""

from collections.abc import Sequence

from storage.errors import UnreadableImageError
from storage.images.decode import read_header
from storage.images.listing import has_image_name, paths_below, require_folder

LOOKED_AT = 25
"""Photographs that are opened, spread over the paths; a lot may have thousands, on a slow share."""


def upright_shapes(url: str, paths: Sequence[str] | None = None) -> list[tuple[int, int]]:
    """Height and width of some images of a folder, as they are seen upright; those that cannot be opened are left out.

    Args:
        paths: of the images among which to choose; None is all below the folder.
    """
    folder = require_folder(url)
    names = sorted(filter(has_image_name, paths_below(folder))) if paths is None else paths
    shapes = []
    for path in spread(names, LOOKED_AT):
        try:
            header = read_header(folder.read(path))
        except (OSError, UnreadableImageError):
            continue
        shapes.append((header.height, header.width))
    return shapes


def spread(paths: Sequence[str], most: int) -> list[str]:
    """As many of the paths as are wanted, at equal distances.

    >>> spread("abcdefgh", 4), spread("abc", 4)
    (['a', 'c', 'e', 'g'], ['a', 'b', 'c'])
    """
    count = min(most, len(paths))
    return [paths[number * len(paths) // count] for number in range(count)]
