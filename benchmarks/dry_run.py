"""Projected cost of a night of 100 000 images with the paper's backbone, from the functions of `musc plan`.

`python benchmarks/dry_run.py` prints the rows of the table in docs/operations.md. Nothing is measured here.
"""

import argparse
from dataclasses import dataclass
from math import ceil

from musc.backbones import resolve, with_defaults
from musc.plan.chunks_and_blocks import CHUNK_IMAGES, plan_blocks
from musc.plan.cost import ProjectedCost, lot_cost
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shard_memory import FLOAT16_BYTES
from musc.plan.shards import Shard, plan_shards
from musc.settings import PAPER_BACKBONE, Settings

LOT_SIZES = (1_000, 10_000, 100_000)
HEADINGS = ("lots × images", "peak", "stored", "read by scoring", "task runs", "shards of a lot", "EFLOP", "hours")
TASKS_BESIDES = 2
"""Listing and rescoring, once for each lot."""


@dataclass(frozen=True)
class DryRun:
    """All lots of one size."""

    lot_count: int
    lot: ProjectedCost
    read_bytes: float
    """Features read by all shards: each streams its layer of the whole lot once for each degree."""

    @property
    def task_count(self) -> int:
        return self.lot_count * (self.lot.block_count + self.lot.shard_count + TASKS_BESIDES)

    @property
    def object_count(self) -> int:
        """Objects of features: one for each chunk of each layer and of the class tokens."""
        return self.lot_count * ceil(self.lot.image_count / CHUNK_IMAGES) * (len(SPEC.layers) + 1)

    @property
    def operations(self) -> float:
        return self.lot_count * self.lot.operations

    def row(self) -> str:
        """A row of a markdown table."""
        lot = self.lot
        return (
            f"| {self.lot_count:,} × {lot.image_count:,} | {lot.peak_bytes / 1e9:.1f} GB "
            f"| {self.lot_count * lot.stored_bytes / 1e12:.2f} TB | {self.read_bytes / 1e12:,.1f} TB "
            f"| {self.task_count:,} | {lot.shard_count:,} | {self.operations / 1e18:,.1f} "
            f"| {hours(self.operations):,.0f} / R |"
        )


SETTINGS = with_defaults(Settings(backbone=PAPER_BACKBONE))
SPEC = resolve(SETTINGS.backbone)
GPU_COUNT = 8


def hours(operations: float) -> float:
    """Hours on all GPUs at 1 TFLOP/s each; divide by the rate."""
    return operations / (GPU_COUNT * 1e12) / 3600


def dry_run(image_count: int, lot_size: int, memory_bytes: int) -> DryRun:
    """Plan all lots of one size."""
    comparisons = [LayerComparison(layer, SETTINGS.degrees) for layer in SPEC.layers]
    shards: list[Shard] = plan_shards(lot_size, comparisons, memory_bytes=memory_bytes)
    lot = lot_cost(
        lot_size,
        comparisons,
        embedding_width=SPEC.embedding_width,
        block_count=len(plan_blocks(lot_size)),
        shards=shards,
        lot_size=lot_size,
    )
    lot_count = image_count // lot_size
    bytes_of = {layer.number: layer.patch_count * layer.width * FLOAT16_BYTES for layer in SPEC.layers}
    read = len(SETTINGS.degrees) * lot_count * lot_size * sum(bytes_of[shard.layer] for shard in shards)
    return DryRun(lot_count, lot, read)


def extraction_operations(image_count: int) -> float:
    """Of a ViT with MLPs four times as wide as its tokens: 24 C² products per patch and layer, and attention."""
    last = SPEC.layers[-1]
    patches, width, depth = last.patch_count + 1, last.width, last.number + 1
    return image_count * depth * 2.0 * (12 * width**2 * patches + 2 * patches**2 * width)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--memory", type=float, default=48e9, help="bytes one shard may use")
    given = parser.parse_args()
    print(f"| {' | '.join(HEADINGS)} |")
    print("|---" * len(HEADINGS) + "|")
    for lot_size in LOT_SIZES:
        print(dry_run(given.images, lot_size, int(given.memory)).row())
    total = extraction_operations(given.images)
    print(f"extraction: {total / 1e18:.2f} EFLOP, {hours(total):.1f} / R hours")


if __name__ == "__main__":
    main()
