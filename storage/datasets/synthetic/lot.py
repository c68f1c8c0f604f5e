"""Lots that draw themselves: textured industrial parts with planted defects and exact masks, in the MVTec AD layout.

For trying out, for tests and for benchmarks without any data at hand. Every image is drawn from a seed of its own, so
asking for more images never changes the others.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from storage.datasets.synthetic.defects import KINDS, plant
from storage.datasets.synthetic.parts import PARTS, draw_scene, photograph

SMALLEST_SIZE = 64
"""Pixels; below this the finest textures and defects are lost."""


def write_lot(
    folder: str | Path,
    *,
    part: str = "cast",
    seed: int = 0,
    good_count: int = 44,
    defective_count: int = 20,
    size: int = 256,
) -> list[Path]:
    """Write a lot of one part: `test/<kind>/NNN.png`, and `ground_truth/<kind>/NNN_mask.png` for the defective ones.

    The same arguments give the same bytes, and files of the same name are replaced, so an interrupted call is
    simply repeated.

    Args:
        folder: made when missing; may hold an earlier writing of the same lot, but no other pictures.
        part: one of `storage.datasets.synthetic.parts.PARTS`.
        seed: which lot; at least 0.
        good_count: images without a defect, in `test/good`; at least 0.
        defective_count: images with a defect, dealt to the kinds of `defects.KINDS` in turn; at least 0.
        size: height and width in pixels; at least 64.

    Returns:
        The paths of the images (not the masks), good ones first.

    Raises:
        ValueError: if an argument is out of range, the part is unknown, or the folder holds other pictures.
    """
    for name, count in (("good_count", good_count), ("defective_count", defective_count)):
        if count < 0:
            raise ValueError(f"{name} must be at least 0, got {count}; use 0 for none")
    check_drawing(part, None, seed=seed, number=0, size=size)
    folder = Path(folder)
    pictures = plan_lot(folder, good_count, defective_count)
    strangers = sorted(set(folder.glob("test/*/*.png")) - pictures.keys())
    if strangers:
        raise ValueError(
            f"folder must hold no pictures but those of this lot, got {len(strangers)} others such as "
            f"{strangers[0]}; choose an empty folder"
        )
    for path, (kind, number) in pictures.items():
        picture, mask = draw_part(part, kind, seed=seed, number=number, size=size)
        save_png(picture, path)
        if kind is not None:
            save_png(mask.astype(np.uint8) * 255, folder / "ground_truth" / kind / f"{number:03d}_mask.png")
    return list(pictures)


def draw_part(
    part: str = "cast",
    kind: str | None = None,
    *,
    seed: int = 0,
    number: int = 0,
    size: int = 256,
    planted: bool = True,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw one image of a lot.

    Args:
        part: one of `storage.datasets.synthetic.parts.PARTS`.
        kind: one of `storage.datasets.synthetic.defects.KINDS`; None for a good part.
        seed: which lot; at least 0.
        number: which image of this part and kind; at least 0.
        size: height and width in pixels; at least 64.
        planted: False leaves the defect out; outside the mask the two pictures are the same to the last bit.

    Returns:
        The picture, uint8 (size, size, 3), and the mask of the defect, bool (size, size), empty where there is none.

    Raises:
        ValueError: if an argument is out of range or names an unknown part or kind.
    """
    check_drawing(part, kind, seed=seed, number=number, size=size)
    kind_index = 0 if kind is None else 1 + list(KINDS).index(kind)
    identity = np.random.SeedSequence([seed, list(PARTS).index(part), kind_index, number])
    for_scene, for_defect, for_camera = map(np.random.default_rng, identity.spawn(3))
    scene = draw_scene(for_scene, part, size)
    surface, mask = scene.picture, np.zeros((size, size), dtype=bool)
    if kind is not None and planted:
        surface, mask = plant(for_defect, scene, kind)
    picture = photograph(for_camera, scene, surface)
    return np.rint(picture * 255).astype(np.uint8), mask


def check_drawing(part: str, kind: str | None, *, seed: int, number: int, size: int) -> None:
    """Refuse what cannot be drawn; see `draw_part`."""
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}, got {part!r}; choose one of them")
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}; choose one, or None for a good part")
    for name, value in (("seed", seed), ("number", number)):
        if value < 0:
            raise ValueError(f"{name} must be at least 0, got {value}; choose another")
    if size < SMALLEST_SIZE:
        raise ValueError(f"size must be at least {SMALLEST_SIZE} pixels, got {size}; 256 is usual")


def plan_lot(folder: Path, good_count: int, defective_count: int) -> dict[Path, tuple[str | None, int]]:
    """Path of every picture of a lot -> its kind (None for good) and its number."""
    kinds = list(KINDS)
    drawings: list[tuple[str | None, int]] = [(None, number) for number in range(good_count)]
    drawings += [(kinds[index % len(kinds)], index // len(kinds)) for index in range(defective_count)]
    return {folder / "test" / (kind or "good") / f"{number:03d}.png": (kind, number) for kind, number in drawings}


def save_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write pixels (H, W) or (H, W, 3) beside their place, then move them in, so that no half file is ever seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    Image.fromarray(pixels).save(partial, format="PNG")
    partial.replace(path)
