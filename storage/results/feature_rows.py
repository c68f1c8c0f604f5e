"""Selected images of stored blocks, read as one array: any part of a lot, and images of earlier lots."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from storage.results.features import BlockRow, layer_name, opened_array
from storage.store import Store

if TYPE_CHECKING:
    import zarr


@dataclass(frozen=True)
class FeatureRows:
    """The features of images named one by one, each by its block and its row there.

    Images of one stored chunk that follow each other are read at once and nothing between chunks is, so that a few
    images of a large lot cost a few chunks, in time and in memory.
    """

    store: Store
    block_rows: Sequence[BlockRow]

    def __len__(self) -> int:
        return len(self.block_rows)

    def patch_tokens(self, layer: int, start: int, stop: int) -> np.ndarray:
        """Patch tokens of images [start, stop) of those named, at least one: (stop − start, P, C), as stored."""
        block_rows = self.block_rows[start:stop]
        like = self._array(block_rows[0][0], layer)
        tokens = np.empty((len(block_rows), *like.shape[1:]), dtype=like.dtype)
        filled = 0
        for (block, _), in_chunk in groupby(block_rows, key=lambda block_row: self._chunk(block_row, layer)):
            rows = np.array([row for _, row in in_chunk])
            low, high = int(rows.min()), int(rows.max()) + 1
            tokens[filled : filled + len(rows)] = np.asarray(self._array(block, layer)[low:high])[rows - low]
            filled += len(rows)
        return tokens

    def _chunk(self, block_row: BlockRow, layer: int) -> BlockRow:
        """The stored chunk that holds an image: its block and its number there."""
        return block_row[0], block_row[1] // self._array(block_row[0], layer).chunks[0]

    def _array(self, block: str, layer: int) -> "zarr.Array":
        return opened_array(self.store, block, layer_name(layer))
