"""Extraction: what lies in a block is what the model says of each chunk, and failures while storing come out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from musc import backbones
from musc.backbones import Backbone, Features
from musc.plan.chunks_and_blocks import CHUNK_IMAGES
from planning.task_specs import ExtractSpec
from storage.artefacts import is_complete
from storage.datasets.synthetic.lot import write_lot
from storage.images.decode import decode
from storage.images.listing import list_folder
from storage.images.lots import ListedImage
from storage.results.features import BlockWriter, LotFeatures
from storage.store import Store
from tasks import extract
from tasks.extract import extracted_contents, untiled, write_features

LAYERS = (0, 1)


@pytest.fixture(scope="module")
def lot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two whole chunks and a part of one."""
    folder = tmp_path_factory.mktemp("lot")
    write_lot(folder, good_count=2 * CHUNK_IMAGES + 1, defective_count=2, size=64)
    return folder / "test"


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return backbones.load("texture", image_size=64, layers=LAYERS, device="cpu")


def spec(lot: Path, store: Store, images: list[ListedImage], backbone: Backbone) -> ExtractSpec:
    return ExtractSpec(
        "key", "cast", store.url, str(lot), "listing", 0, len(images), backbone=backbone.spec, device="cpu"
    )


@pytest.mark.parametrize("decoder_count", [1, 4, 40])
def test_block_holds_what_the_model_says(
    lot: Path, backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoder_count: int
) -> None:
    monkeypatch.setattr(extract, "DECODERS", decoder_count)
    monkeypatch.setattr(extract, "CHUNKS_AHEAD", -(-decoder_count // CHUNK_IMAGES))
    store, images = Store(str(tmp_path / "store")), list_folder(str(lot))
    made = spec(lot, store, images, backbone)
    write_features(store, made, untiled(images), backbone)
    found = LotFeatures(store, (made.path,))
    pictures = [decode((lot / image.path).read_bytes()) for image in images]
    expected = backbone.extract(pictures, batch_size=CHUNK_IMAGES)
    for layer, tokens in zip(LAYERS, expected.patch_tokens, strict=True):
        np.testing.assert_array_equal(found.patch_tokens(layer, 0, len(images)), tokens.half().numpy())
    np.testing.assert_array_equal(found.class_tokens(), expected.class_tokens.numpy())


def test_images_without_features_leave_gaps_and_move_no_other(backbone: Backbone, tmp_path: Path) -> None:
    def infinite_where_white(pixels: torch.Tensor) -> Features:
        features = backbone.forward(pixels)
        features.patch_tokens[1][pixels.flatten(1).amin(dim=1) == 1] = torch.inf
        return features

    paths = write_lot(tmp_path / "lot", good_count=2 * CHUNK_IMAGES, defective_count=0, size=64)
    paths[10].write_bytes(paths[10].read_bytes()[:-500])
    Image.new("RGB", (64, 64), "white").save(paths[13])
    store, images = Store(str(tmp_path / "store")), list_folder(str(tmp_path / "lot" / "test"))
    made = spec(tmp_path / "lot" / "test", store, images, backbone)
    write_features(store, made, untiled(images), replace(backbone, forward=infinite_where_white))
    found = LotFeatures(store, (made.path,))
    assert [(one.position, one.status) for one in found.exclusions] == [(10, "unreadable"), (13, "not_finite")]
    usable = [position for position in range(len(images)) if position not in (10, 13)]
    assert extracted_contents([made], images) == [images[position].sha256 for position in usable]
    expected = backbone.extract([decode(paths[position].read_bytes()) for position in usable])
    np.testing.assert_array_equal(found.patch_tokens(1, 0, len(usable)), expected.patch_tokens[1].half().numpy())
    np.testing.assert_array_equal(found.class_tokens(), expected.class_tokens.numpy())


def test_error_while_storing_fails_the_block(
    lot: Path, backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, images = Store(str(tmp_path / "store")), list_folder(str(lot))
    write = BlockWriter.write

    def fail_at_the_second_chunk(staging: BlockWriter, start: int, values: Any) -> None:
        if start:
            raise OSError(28, "No space left on device")
        write(staging, start, values)

    monkeypatch.setattr(BlockWriter, "write", fail_at_the_second_chunk)
    made = spec(lot, store, images, backbone)
    with pytest.raises(OSError, match="No space left"):
        write_features(store, made, untiled(images), backbone)
    assert not is_complete(store, made.path)
    assert store.sizes("") == {}


def test_error_of_the_model_fails_the_block(lot: Path, backbone: Backbone, tmp_path: Path) -> None:
    def fail(pixels: torch.Tensor) -> Any:
        raise RuntimeError("out of memory")

    store, images = Store(str(tmp_path / "store")), list_folder(str(lot))
    made = spec(lot, store, images, backbone)
    broken = Backbone(backbone.spec, backbone.device, backbone.preprocess, fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        write_features(store, made, untiled(images), broken)
    assert not is_complete(store, made.path)
