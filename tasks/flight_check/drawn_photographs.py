"""Four photographs of the newest lot, copied to a place of their own that is removed afterwards."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from planning.requests import NightRequest
from storage.errors import NoImagesError
from storage.images.listing import has_image_name, paths_below
from storage.images.lot_tree import FoundLot
from storage.store import Store

COUNT = 4
PHOTOGRAPHS, RESULTS = "photographs", "results"
"""Folders of the place."""


def draw(found: FoundLot) -> dict[str, bytes]:
    """Photographs of a lot by path: evenly spaced by name, no two of the same bytes.

    Raises:
        NoImagesError: if there are fewer than two.
    """
    folder = Store(found.folder)
    paths = sorted(path for path in paths_below(folder) if has_image_name(path))
    spaced = [paths[number * (len(paths) - 1) // (COUNT - 1)] for number in range(COUNT)] if paths else []
    drawn, contents = dict[str, bytes](), set[str]()
    for path in dict.fromkeys((*spaced, *paths)):
        content = folder.read(path)
        sha256 = hashlib.sha256(content).hexdigest()
        if content and sha256 not in contents:
            drawn[path] = content
            contents.add(sha256)
        if len(drawn) == COUNT:
            break
    if len(drawn) < 2:
        raise NoImagesError(
            f"newest lot must hold 2 different photographs, got {len(drawn)} in {found.folder}; see what fills it"
        )
    return drawn


@contextmanager
def scratch(request: NightRequest) -> Iterator[Store]:
    """An empty place while the `with` block lasts: of this machine, or of the store where other machines compute."""
    if request.resources.dask_address is None:
        with tempfile.TemporaryDirectory(prefix="musc-flight-check-") as folder:
            yield Store(folder)
        return
    place = f"flight-check-{uuid4().hex}"
    try:
        yield Store(f"{request.output.rstrip('/')}/{place}")
    finally:
        Store(request.output).delete(place)


def put(photographs: dict[str, bytes], place: Store) -> str:
    """Copy photographs to a place, under their paths; returns the folder's path or URL."""
    for path, content in photographs.items():
        place.write(f"{PHOTOGRAPHS}/{path}", content)
    return place.location(PHOTOGRAPHS)
