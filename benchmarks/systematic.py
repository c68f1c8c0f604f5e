"""The same flaw on many generated parts, as a worn tool or a wrong setting leaves it."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from storage.datasets.synthetic.defects import KINDS, Scene, choose, plant
from storage.datasets.synthetic.lot import check_drawing
from storage.datasets.synthetic.parts import PARTS, draw_scene, photograph

KIND_OFFSET = 1000
"""Keeps the identities of these images apart from those of `storage.datasets.synthetic.lot`."""
MARGIN = 24.0
"""Units from the outline at which a flaw of a varied place lies at least."""


def draw_repeated(
    part: str, kind: str, *, seed: int = 0, number: int = 0, size: int = 256, moved: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw one image of a lot with the flaw that all such images of the lot share.

    Course, size and strength of the flaw depend on the lot's seed alone; the part under it, the light and the noise
    are drawn anew for every number.

    Args:
        part: one of `storage.datasets.synthetic.parts.PARTS`.
        kind: one of `storage.datasets.synthetic.defects.KINDS`.
        seed: which lot; at least 0.
        number: which image with the flaw; at least 0.
        size: height and width in pixels; at least 64.
        moved: put the flaw to another place in every image rather than to the same one.

    Returns:
        The picture, uint8 (size, size, 3), and the mask of the flaw, bool (size, size).

    Raises:
        ValueError: if an argument is out of range or names an unknown part or kind.
    """
    check_drawing(part, kind, seed=seed, number=number, size=size)
    of_lot = [seed, list(PARTS).index(part), KIND_OFFSET + list(KINDS).index(kind)]
    for_scene, for_place, for_camera = map(np.random.default_rng, np.random.SeedSequence([*of_lot, number]).spawn(3))
    for_flaw, for_shared_place = map(np.random.default_rng, np.random.SeedSequence(of_lot).spawn(2))
    scene = draw_scene(for_scene, part, size)
    if moved:
        place = place_for(for_place, scene, kind)
    else:
        place = place_for(for_shared_place, draw_scene(np.random.default_rng(seed), part, size), kind)
    surface, mask = plant(for_flaw, replace(scene, place=place), kind)
    picture = photograph(for_camera, scene, surface)
    return np.rint(picture * 255).astype(np.uint8), mask


def place_for(rng: np.random.Generator, scene: Scene, kind: str) -> tuple[float, float]:
    """A row and column, in units, where a flaw of a kind may lie: at the outline for a chip, else well inside."""
    return choose(rng, scene, np.abs(scene.depth) < 1.5 if kind == "chip" else scene.depth > MARGIN)
