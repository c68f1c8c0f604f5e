"""The bank: a fixed set of references held in memory, against which one photograph after the other is scored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from musc.backbones import Backbone
from musc.image_scores import score_maps
from musc.mutual import LayerTokens, block_scores, vectors
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shard_memory import FLOAT32_BYTES, largest_query_count
from musc.threads import for_each
from planning.lot_job import LotJob
from planning.lot_specs import layer_comparisons
from storage.disk_space import readable_bytes
from storage.images.decode import decode
from storage.results.features import BlockRow
from storage.results.regions_of_interest import read_regions
from storage.store import Store
from tasks.runtime.feature_reader import FeatureReader
from tasks.runtime.loaded_backbones import load_backbone
from tasks.write_run import average_layers


@dataclass(frozen=True)
class ReferencePart:
    """The references of one layer, at one degree or pooled at several."""

    reader: FeatureReader
    features: LayerTokens
    outside: torch.Tensor | None
    """Bool (P,), patches outside of the region of interest."""
    size: int = 0
    """Which of the job's image sizes, the smallest first."""

    @property
    def comparison(self) -> LayerComparison:
        """How the layer is compared, in a lot of one image just so."""
        return self.reader.comparison

    def scores(
        self, queries: LayerTokens, first: int, others: Iterator[tuple[int, LayerTokens]], count: int, job: LotJob
    ) -> np.ndarray:
        """Sums of the patch scores over the degrees: float64 (n, P), NaN outside."""
        excluded = None if self.outside is None else self.outside.expand(count, -1)
        degrees = block_scores(
            queries,
            first,
            others,
            count,
            job.settings.interval,
            excluded,
            match_radius=self.comparison.match_radius,
            grid=self.comparison.grid,
        ).cpu()
        summed = degrees.sum(dim=0) if degrees.ndim == 3 else degrees
        return (summed if self.outside is None else summed.masked_fill(self.outside, torch.nan)).double().numpy()


@dataclass(frozen=True)
class Bank:
    """G references in memory."""

    job: LotJob
    backbones: tuple[Backbone, ...]
    """At every image size, the smallest first."""
    contents: tuple[str, ...]
    """SHA-256 of the references."""
    parts: tuple[ReferencePart, ...]
    usual: np.ndarray | None = None
    """Float32 (rows, columns), the references' median at each place; where `image_score` position takes it away."""

    def score(self, content: bytes, sha256: str) -> tuple[float, tuple[float, float]]:
        """Raw score of an image file, and where its peak is, as fractions of its height and width.

        A copy of a reference is scored against the others.

        Raises:
            UnreadableImageError: if it cannot be decoded.
        """
        photograph = decode(content)
        tokens = [tokens_of(photograph, backbone) for backbone in self.backbones]
        own = self.contents.index(sha256) if sha256 in self.contents else None

        scores: dict[int, np.ndarray] = {}

        def compare(number: int) -> None:
            part = self.parts[number]
            others = others_than(part.features, own, own if own is None else own + 1, 1)
            count = len(self.contents) + (own is None)
            own_tokens = tokens[part.size][part.comparison.layer.number]
            scores[number] = part.scores(part.reader.compared(own_tokens), 0, others, count, self.job)

        # the work of one photograph is divided by parts, as it cannot be by photographs
        for_each(compare, range(len(self.parts)), self.backbones[0].device)
        patch_scores = self.averaged([scores[number] for number in range(len(self.parts))])
        which = self.job.settings.image_score
        raw, peaks = score_maps(patch_scores, self.job.backbone.image_size, which, self.usual)
        return float(raw[0]), (float(peaks[0, 0]), float(peaks[0, 1]))

    def own_patch_scores(self) -> np.ndarray:
        """Patch scores of every reference against the others: float32 (G, rows, columns)."""
        return self.averaged([self.own_scores_in(part, len(self.contents)) for part in self.parts])

    def own_scores_in(self, part: ReferencePart, count: int) -> np.ndarray:
        """Patch scores of all G references in one part, float64 (G, P): a pair inside a block is multiplied once.

        Blocks are as large as the memory allows that the bank leaves, so that of a usual one all pairs lie in one.
        """
        allocation = self.job.allocation
        spare = allocation.memory_bytes - sum(vectors(loaded.features).nbytes for loaded in self.parts)
        step = max(1, largest_query_count(count, count, part.comparison, max(0, spare), allocation.thread_count))
        return np.concatenate(
            [
                part.scores(part.features[start:stop], start, others_than(part.features, start, stop), count, self.job)
                for start, stop in ((start, min(start + step, count)) for start in range(0, count, step))
            ]
        )

    def averaged(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """Patch scores of images from those in every part: float32 (n, rows, columns); see `average_layers`."""
        finest = self.job.backbone.grid
        of_layer: dict[tuple[int, int], np.ndarray] = {}
        for part, values in zip(self.parts, parts, strict=True):
            place = part.size, part.comparison.layer.number
            of_layer[place] = of_layer.get(place, 0) + values / len(self.job.settings.degrees)
        layers = (
            (slice(None), of_layer[size, layer.number].astype(np.float32).reshape(-1, *layer.grid))
            for size, backbone in enumerate(self.job.backbones)
            for layer in backbone.layers
        )
        return average_layers(layers, finest, len(parts[0]))


def others_than(
    features: LayerTokens, start: int | None = None, stop: int | None = None, number: int = 0
) -> Iterator[tuple[int, LayerTokens]]:
    """The references but those of [start, stop), numbered from `number` on; a gap keeps its numbers if number is 0."""
    if start is None or stop is None:
        yield number, features
        return
    if start > 0:
        yield number, features[:start]
    if stop < len(features):
        yield (stop if number == 0 else number + start), features[stop:]


def tokens_of(photograph: Image.Image, backbone: Backbone) -> dict[int, torch.Tensor]:
    """Patch tokens (1, P, C) of a photograph by layer, in the precision in which features are stored."""
    with torch.inference_mode():
        pixels = backbone.preprocess(photograph)[None].to(backbone.device)
        layers = zip(backbone.spec.layers, backbone.forward(pixels).patch_tokens, strict=True)
        return {layer.number: tokens.half() for layer, tokens in layers}


def open_bank(job: LotJob, references: Sequence[Sequence[BlockRow]], contents: Sequence[str]) -> Bank:
    """Load the backbone and the features of all references.

    Args:
        references: where their features lie at every image size, the smallest first; at each in the same order.
        contents: SHA-256 of each.

    Raises:
        MemoryError: if the features do not fit the memory, with the bytes needed and given.
    """
    store, count = Store(job.store), len(contents)
    comparisons = [
        (size, comparison)
        for size, one in enumerate(job.at_each_size())
        for comparison in layer_comparisons(one, 1, count)
    ]
    needed = sum(
        count * comparison.layer.patch_count * comparison.layer.width * FLOAT32_BYTES * len(comparison.passes)
        for _, comparison in comparisons
    )
    if needed > job.allocation.memory_bytes:
        raise MemoryError(
            f"memory must hold the features of all {count} references, {readable_bytes(needed)}, got "
            f"{readable_bytes(job.allocation.memory_bytes)}; give more with --memory, or fewer good photographs"
        )
    parts = []
    for size, comparison in comparisons:
        outside = None
        if job.region:
            inside = read_regions(store, job.region.patches, comparison.grid)[0]
            outside = torch.from_numpy(~inside).flatten()
        for degrees in comparison.passes:
            reader = FeatureReader(store, comparison, degrees)
            features = reader.read_all(references[size], comparison.layer.width)
            parts.append(ReferencePart(reader, features, outside, size))
    backbones = tuple(load_backbone(backbone, job.allocation.device) for backbone in job.backbones)
    return Bank(job, backbones, tuple(contents), tuple(parts))
