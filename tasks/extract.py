"""Extract: the features of one block of images; decoding and writing run on other threads than the model."""

import os
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from math import ceil
from threading import Lock

import numpy as np
import torch
from PIL import Image

from musc.backbones import Backbone, Features
from musc.layers import BackboneSpec
from musc.plan.chunks_and_blocks import CHUNK_IMAGES
from musc.plan.lot_as_tiles import parts_of
from musc.tiles import Tile
from planning.task_results import StoredArtefact
from planning.task_specs import ExtractSpec
from reports.brightness_sharpness import REMEMBERED
from reports.make_run_record import versions
from storage.artefacts import is_complete
from storage.errors import UnreadableImageError
from storage.images.decode import decode
from storage.images.decoded_at_once import IN_FLIGHT
from storage.images.least_images import LEAST_IMAGES, require_enough
from storage.images.lots import ListedImage, load_lot, load_usable, read_image
from storage.results.features import (
    CLASS_TOKENS,
    ArraySpec,
    BlockWriter,
    LotFeatures,
    layer_name,
    mark_excluded,
    writing_block,
)
from storage.results.tile_rows import whole_images
from storage.store import Store
from tasks.runtime import progress
from tasks.runtime.background_io import background_writer, to_device, to_host
from tasks.runtime.loaded_backbones import load_backbone, load_on_cpu
from tasks.runtime.out_of_memory import halve_on_out_of_memory

DECODERS = min(16, max(4, os.cpu_count() or 1))
"""Threads that read and decode images ahead of the model."""
ImagePart = tuple[ListedImage, Tile | None]
"""An image, or one of its tiles."""
CHUNKS_AHEAD = ceil(DECODERS / CHUNK_IMAGES)
"""Chunks being decoded beyond the one being used; enough to keep every decoder busy."""


def extract_block(spec: ExtractSpec) -> StoredArtefact:
    """Make sure the features of one block are stored."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        images = load_usable(store, spec.lot_key)
        parts = untiled(images) if spec.settings is None else parts_of(spec.settings, images)
        write_features(store, spec, parts[spec.start : spec.stop], load_backbone(spec.backbone, spec.device))
    return StoredArtefact(path=spec.path)


def untiled(images: Sequence[ListedImage]) -> list[ImagePart]:
    """Each image as one part: no tiles."""
    return [(image, None) for image in images]


def write_features(store: Store, spec: ExtractSpec, images: Sequence[ImagePart], backbone: Backbone) -> None:
    """Extract and store one block, a chunk of images at a time.

    Three things happen at once: later images are decoded, the model runs, and the features before are written.
    """

    def store_chunk(start: int, chunk: Sequence[Decoded], features: Features | None) -> None:
        write_chunk(staging, start, chunk, backbone.spec, features)
        progress.advance("extract", spec.key, len(chunk))

    with (
        writing_block(
            store,
            spec.path,
            image_count=len(images),
            arrays=feature_arrays(spec.backbone),
            chunk_images=CHUNK_IMAGES,
            attributes={"backbone": asdict(spec.backbone), "versions": versions()},
        ) as staging,
        ThreadPoolExecutor(DECODERS) as decoders,
        closing(decoded_chunks(Store(spec.folder), images, backbone, decoders)) as chunks,
        background_writer() as write_later,
    ):
        for start, chunk in chunks:
            write_later(store_chunk, start, chunk, describe_chunk(chunk, backbone))


def extracted_contents(specs: Sequence[ExtractSpec], images: Sequence[ListedImage], tiles: int = 1) -> list[str]:
    """SHA-256 of the images of extracted blocks that have usable features, in order; for each position of tiles."""
    features = LotFeatures(Store(specs[0].store), tuple(spec.path for spec in specs))
    if tiles > 1:
        return [images[position].sha256 for position in whole_images(features, tiles)] * tiles
    excluded = {image.position for image in features.exclusions}
    return [image.sha256 for position, image in enumerate(images) if position not in excluded]


def require_usable(specs: Sequence[ExtractSpec], usable_count: int, earlier_count: int, tiles: int = 1) -> None:
    """Refuse a lot of whose images too few could be decoded or have usable features; its listing is kept, and named.

    Args:
        specs: of all blocks of the lot, extracted.
        usable_count: images of the lot with usable features.
        earlier_count: images of earlier lots that are references too.
        tiles: of each image.

    Raises:
        NoImagesError: saying how many images are usable, and what the others are.
    """
    least = 1 if earlier_count else LEAST_IMAGES
    if usable_count < least:
        store = Store(specs[0].store)
        features = LotFeatures(store, tuple(spec.path for spec in specs))
        images = mark_excluded(load_lot(store, specs[0].lot_key), features, tiles)
        require_enough(images, specs[0].folder, least, store)


def feature_arrays(spec: BackboneSpec) -> dict[str, ArraySpec]:
    """What a block stores of each image."""
    return {
        **{layer_name(layer.number): ArraySpec((layer.patch_count, layer.width), "float16") for layer in spec.layers},
        CLASS_TOKENS: ArraySpec((spec.embedding_width,), "float32"),
    }


Decoded = torch.Tensor | UnreadableImageError


class PhotographDecoder:
    """Decodes the images of a folder; the last one is kept for its further tiles, and one is decoded at a time then."""

    def __init__(self, folder: Store) -> None:
        self.folder = folder
        self.last: tuple[ListedImage, Image.Image] | None = None
        self.lock = Lock()

    def part(self, image: ListedImage, tile: Tile | None) -> Image.Image:
        """An image, or one of its tiles."""
        if tile is None:
            return self.whole(image)
        with self.lock:
            if self.last is None or self.last[0] != image:
                self.last = None  # frees it first
                self.last = image, self.whole(image)
            photograph = self.last[1]
        return photograph.crop((tile.x, tile.y, tile.x + tile.width, tile.y + tile.height))

    def whole(self, image: ListedImage) -> Image.Image:
        """An image, whose brightness and sharpness are noted for the profile."""
        photograph = decode(read_image(self.folder, image))
        REMEMBERED.note(image.sha256, photograph)
        return photograph


def decoded_chunks(
    folder: Store, images: Sequence[ImagePart], backbone: Backbone, decoders: ThreadPoolExecutor
) -> Generator[tuple[int, list[Decoded]], None, None]:
    """Decode images chunk by chunk, always some chunks ahead of the one being used."""

    photographs = PhotographDecoder(folder)

    def read(part: ImagePart) -> Decoded:
        try:
            image, tile = part
            with IN_FLIGHT.holding(tile or image):  # of tiles one whole photograph is decoded at a time anyway
                return backbone.preprocess(photographs.part(image, tile))
        except UnreadableImageError as error:
            return error

    ahead: deque[tuple[int, list[Future[Decoded]]]] = deque()
    for start in range(0, len(images), CHUNK_IMAGES):
        ahead.append((start, [decoders.submit(read, image) for image in images[start : start + CHUNK_IMAGES]]))
        if len(ahead) > CHUNKS_AHEAD:
            yield wait_for_chunk(*ahead.popleft())
    while ahead:
        yield wait_for_chunk(*ahead.popleft())


def wait_for_chunk(start: int, chunk: Sequence[Future[Decoded]]) -> tuple[int, list[Decoded]]:
    """Wait until a chunk is decoded, and return it with its first position."""
    return start, [future.result() for future in chunk]


@torch.inference_mode()
def describe_chunk(chunk: Sequence[Decoded], backbone: Backbone) -> Features | None:
    """Features of a chunk's readable images; None if there are none. A GPU may still be computing them."""
    readable = [decoded for decoded in chunk if isinstance(decoded, torch.Tensor)]
    return features_of(torch.stack(readable), backbone) if readable else None


@torch.inference_mode()
def write_chunk(
    staging: BlockWriter, start: int, chunk: Sequence[Decoded], spec: BackboneSpec, features: Features | None
) -> None:
    """Store the features of one chunk; unreadable and not finite images are noted and stay NaN."""
    for position, decoded in enumerate(chunk, start):
        if isinstance(decoded, UnreadableImageError):
            staging.exclude(position, "unreadable", str(decoded))
    if features is None:
        return
    readable = [position for position, decoded in enumerate(chunk) if isinstance(decoded, torch.Tensor)]
    values = {
        layer_name(layer.number): tokens.half()
        for layer, tokens in zip(spec.layers, features.patch_tokens, strict=True)
    }
    values[CLASS_TOKENS] = features.class_tokens.float()
    finite = torch.stack([torch.isfinite(value.flatten(1)).all(dim=1) for value in values.values()]).all(dim=0)
    for row in torch.nonzero(~finite).flatten().tolist():
        staging.exclude(start + readable[row], "not_finite", "its features hold NaN or infinity in float16")
    staging.write(
        start, {name: with_gaps(to_host(value).numpy(), readable, len(chunk)) for name, value in values.items()}
    )


def features_of(pixels: torch.Tensor, backbone: Backbone) -> Features:
    """Run the model on a chunk; on CUDA out of memory in smaller batches, finally on the CPU."""

    def on_device(start: int, stop: int) -> Features:
        return backbone.forward(to_device(pixels[start:stop], backbone.device))

    def on_cpu(start: int, stop: int) -> Features:
        return load_on_cpu(backbone.spec).forward(pixels[start:stop])

    parts = halve_on_out_of_memory(on_cpu, on_device, 0, len(pixels))
    if len(parts) == 1:
        return parts[0]
    return Features(
        [torch.cat(layer) for layer in zip(*(part.patch_tokens for part in parts), strict=True)],
        torch.cat([part.class_tokens for part in parts]),
    )


def with_gaps(rows: np.ndarray, positions: Sequence[int], count: int) -> np.ndarray:
    """Rows at their positions among `count`, NaN between them."""
    if len(rows) == count:
        return rows
    padded = np.full((count, *rows.shape[1:]), np.nan, dtype=rows.dtype)
    padded[list(positions)] = rows
    return padded
