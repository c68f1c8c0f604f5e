"""Read stored features of one layer as what is compared, a chunk of images at a time, the next one read meanwhile."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from musc.backbones import choose_device
from musc.lnamd import PooledTokens, aggregate, pool
from musc.mutual import LayerTokens
from musc.plan.chunks_and_blocks import CHUNK_IMAGES
from musc.plan.layer_comparison import LayerComparison
from storage.results.feature_rows import FeatureRows
from storage.results.features import BlockRow
from storage.store import Store
from tasks.runtime.background_io import read_ahead


@dataclass(frozen=True)
class FeatureReader:
    """What stored patch tokens are made into: unit-norm vectors at one degree, or tokens pooled at several."""

    store: Store
    comparison: LayerComparison
    degrees: tuple[int, ...]
    """One of the comparison's, or all of them, pooled."""

    @cached_property
    def device(self) -> torch.device:
        """Where features are compared."""
        return choose_device(self.comparison.device)

    @property
    def pooled(self) -> bool:
        """Whether several degrees are compared by one product."""
        return len(self.degrees) > 1

    def chunks(
        self, block_rows: Sequence[BlockRow], number: int = 0, *, aggregated: bool = False
    ) -> Iterator[tuple[int, LayerTokens]]:
        """Features of some images, numbered from `number` on.

        Args:
            number: of the first.
            aggregated: whether features are stored after LNAMD, as they are compared.
        """
        feature_rows, starts = FeatureRows(self.store, block_rows), range(0, len(block_rows), CHUNK_IMAGES)
        stored = (
            feature_rows.patch_tokens(self.comparison.layer.number, start, start + CHUNK_IMAGES) for start in starts
        )
        for start, chunk in zip(starts, read_ahead(stored), strict=True):
            tokens = torch.from_numpy(chunk).to(self.device)
            yield number + start, tokens if aggregated else self.compared(tokens)

    def compared(self, tokens: torch.Tensor) -> LayerTokens:
        """Features of patch tokens (n, P, C)."""
        grid = self.comparison.grid
        return pool(tokens, grid, self.degrees) if self.pooled else aggregate(tokens, grid, *self.degrees)

    def read_all(self, block_rows: Sequence[BlockRow], width: int, *, aggregated: bool = False) -> LayerTokens:
        """Features of some images, of C channels, at once and in memory of their own."""
        count, patch_count = len(block_rows), self.comparison.layer.patch_count
        vectors = torch.empty((count, patch_count, width), device=self.device)
        scales = torch.empty((count, len(self.degrees), patch_count), device=self.device)
        for start, chunk in self.chunks(block_rows, aggregated=aggregated):
            images = slice(start, start + len(chunk))
            if isinstance(chunk, PooledTokens):
                vectors[images], scales[images] = chunk.tokens, chunk.scales
            else:
                vectors[images] = chunk
        return PooledTokens(vectors, scales, self.comparison.grid, self.degrees) if self.pooled else vectors
