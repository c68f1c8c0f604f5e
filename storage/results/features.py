"""Features on disk: one artefact per block, found by content, read back as one lot.

A block is a zarr v3 group whose arrays share their first axis, the images of the block: `layer_05` … (n, P, C) float16
and `class_tokens` (n, D) float32, in chunks of a few images and without compression (float16 features gain 9 % and
lose half the throughput). Blocks are artefacts of their own rather than slices of one large array: no two writers ever
share a chunk, and a block met again in another lot is found by its key. Unwritten values read as NaN, so that a lost
chunk cannot pass for a feature.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from storage.artefacts import facts, writing
from storage.images.lots import ListedImage, usable_images
from storage.store import Store

if TYPE_CHECKING:
    import zarr

log = logging.getLogger(__name__)

FEATURES = "features"
AGGREGATED = "aggregated"
BlockRow = tuple[str, int]
"""Where an image's features lie: the path of their block, and the row there."""
CLASS_TOKENS = "class_tokens"


@dataclass(frozen=True)
class ArraySpec:
    """One array of a block: the shape of an image's part and the stored dtype."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Exclusion:
    """An image without usable features, which is not scored."""

    position: int
    """Among the images that were to be extracted."""
    status: str
    reason: str


class BlockFacts(BaseModel):
    """What the marker of a block notes."""

    image_count: int
    excluded: list[Exclusion] = []


@dataclass
class BlockWriter:
    """A block being written, chunk by chunk."""

    arrays: Mapping[str, "zarr.Array"]
    chunk_images: int
    facts: BlockFacts

    def write(self, start: int, values: Mapping[str, np.ndarray]) -> None:
        """Store the features of consecutive images.

        Args:
            start: position of the first image in the block, a whole number of chunks.
            values: by array name, (n, …) in the array's shape and dtype.

        Raises:
            ValueError: if the rows are not whole chunks of the block, because writers that share a chunk lose data
                without an error, or do not have the array's shape.
        """
        if start % self.chunk_images:
            raise ValueError(
                f"start must be a multiple of the chunk of {self.chunk_images} images, got {start}; "
                "write whole chunks, the last one of the block excepted"
            )
        for name, rows in values.items():
            array = self.arrays[name]
            stop, image_count = start + len(rows), array.shape[0]
            if stop > image_count or (stop % self.chunk_images and stop != image_count):
                raise ValueError(
                    f"rows of {name} must end with a chunk of {self.chunk_images} images or with the block of "
                    f"{image_count}, got images [{start}, {stop}); write whole chunks"
                )
            if rows.shape[1:] != array.shape[1:]:
                raise ValueError(
                    f"{name} must have the shape {array.shape[1:]} per image, got {rows.shape[1:]}; "
                    "declare the arrays of the block as they are written"
                )
            array[start:stop] = rows

    def exclude(self, position: int, status: str, reason: str) -> None:
        """Note that an image of the block has no usable features; its row is never read."""
        log.info("image %d of a block is left out: %s (%s)", position, status, reason)
        self.facts.excluded.append(Exclusion(position, status, reason))


@contextmanager
def writing_block(
    store: Store,
    path: str,
    *,
    image_count: int,
    arrays: Mapping[str, ArraySpec],
    chunk_images: int,
    attributes: Mapping[str, Any],
) -> Iterator[BlockWriter]:
    """Build one block; it is complete when the `with` block ends without an error.

    Args:
        path: where in the store, by its key.
        image_count: n, images in the block.
        arrays: what is stored for every image.
        attributes: what made the features, for whoever opens the arrays.
    """
    with writing(store, path) as staging:
        group = store.zarr_group(staging.path, mode="w-", attributes={"format_version": 1, **attributes})
        zarr_arrays = {
            name: group.create_array(
                name,
                shape=(image_count, *array.shape),
                chunks=(min(chunk_images, image_count), *array.shape),
                dtype=array.dtype,
                compressors=None,
                fill_value=np.dtype(array.dtype).type("nan"),
            )
            for name, array in arrays.items()
        }
        written = BlockFacts(image_count=image_count)
        yield BlockWriter(zarr_arrays, chunk_images, written)
        staging.facts.update(written.model_dump())


@dataclass(frozen=True)
class LotFeatures:
    """The features of a lot's usable images, in order, whichever blocks they lie in."""

    store: Store
    paths: tuple[str, ...]

    @cached_property
    def _facts(self) -> list[BlockFacts]:
        return [block_facts(self.store, path) for path in self.paths]

    @cached_property
    def _block_rows(self) -> list[tuple[int, int]]:
        """(block, row in the block) of every usable image."""
        block_rows = []
        for block, block_facts in enumerate(self._facts):
            excluded = {image.position for image in block_facts.excluded}
            block_rows += [(block, row) for row in range(block_facts.image_count) if row not in excluded]
        return block_rows

    def __len__(self) -> int:
        """N, usable images."""
        return len(self._block_rows)

    @property
    def block_rows(self) -> list[BlockRow]:
        """Where the features of every usable image lie, in order."""
        return [(self.paths[block], row) for block, row in self._block_rows]

    @property
    def exclusions(self) -> list[Exclusion]:
        """The images that were to be extracted but have no usable features.

        Raises:
            IncompleteError: if a block is not complete.
        """
        exclusions = []
        start = 0
        for block_facts in self._facts:
            exclusions += [replace(image, position=start + image.position) for image in block_facts.excluded]
            start += block_facts.image_count
        return exclusions

    def patch_tokens(self, layer: int, start: int, stop: int) -> np.ndarray:
        """Patch tokens of usable images [start, stop): float16 (stop − start, P, C); float32 of a block after LNAMD."""
        return self._rows(layer_name(layer), start, stop)

    def token_shape(self, layer: int) -> tuple[int, int]:
        """P and C of a layer."""
        patch_count, width = opened_array(self.store, self.paths[0], layer_name(layer)).shape[1:]
        return int(patch_count), int(width)

    def class_tokens(self) -> np.ndarray:
        """Class tokens of all usable images: float32 (N, D)."""
        return self._rows(CLASS_TOKENS, 0, len(self))

    def _rows(self, name: str, start: int, stop: int) -> np.ndarray:
        block_rows = self._block_rows[start:stop]
        if not block_rows:
            return np.asarray(opened_array(self.store, self.paths[0], name)[:0])
        parts = []
        for block in dict.fromkeys(block for block, _ in block_rows):
            rows = [row for of_block, row in block_rows if of_block == block]
            span = np.asarray(opened_array(self.store, self.paths[block], name)[rows[0] : rows[-1] + 1])
            parts.append(span if len(span) == len(rows) else span[np.subtract(rows, rows[0])])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


@lru_cache(maxsize=1024)
def block_facts(store: Store, path: str) -> BlockFacts:
    """What the marker of a complete block notes, which a process reads once.

    Raises:
        IncompleteError: if the block is not complete.
    """
    return BlockFacts.model_validate(facts(store, path))


@lru_cache(maxsize=1024)
def opened_array(store: Store, block: str, name: str) -> "zarr.Array":
    """An array of a complete block, whose metadata a process reads once: a block's key says its content."""
    return store.zarr_array(f"{block}/{name}")


def layer_name(layer: int) -> str:
    """The array that holds a layer.

    >>> layer_name(5)
    'layer_05'
    """
    return f"layer_{layer:02d}"


def mark_excluded(images: Sequence[ListedImage], features: LotFeatures, tiles: int = 1) -> list[ListedImage]:
    """The listing with the images that turned out to have no usable features marked so."""
    usable = usable_images(images)
    excluded = {usable[exclusion.position // tiles].path: exclusion for exclusion in features.exclusions}
    for path, exclusion in excluded.items():
        log.info("%s is left out: %s (%s)", path, exclusion.status, exclusion.reason)
    return [
        replace(image, status=excluded[image.path].status, reason=excluded[image.path].reason)
        if image.path in excluded
        else image
        for image in images
    ]
