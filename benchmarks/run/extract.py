"""Extraction, decoding and storing included, beside the bare model's forward rate on the same device in the same run.

    python benchmarks/run/extract.py
    python benchmarks/run/extract.py --device cuda --model ViT-L-14-336 --image-size 518 --images 512 \
        --precision float16

A lot is drawn and a model of random weights is made on the spot. In turn, the model runs over batches that lie on the
device already, and one block of all images is extracted as the pipeline does it: read, decoded, described, stored. The
best of the rounds counts.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.inputs import make_lot, make_weights, model_name
from musc import backbones
from musc.backbones import Backbone
from musc.plan.chunks_and_blocks import CHUNK_IMAGES
from planning.task_specs import ExtractSpec
from storage.images.listing import list_folder
from storage.store import Store
from tasks.extract import untiled, write_features


def timed(action: Callable[[], object], device: torch.device) -> float:
    """Seconds one call takes, the device's work included."""
    started = time.perf_counter()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


@torch.inference_mode()
def run_model(backbone: Backbone, batch: torch.Tensor, image_count: int) -> None:
    """The forward pass on as many images."""
    for _ in range(0, image_count, len(batch)):
        backbone.forward(batch)


def compared(backbone: Backbone, lot: Path, folder: Path, rounds: int) -> dict[str, float]:
    """Images per second of the bare model and of the extraction."""
    images = list_folder(str(lot))
    batch = torch.rand(CHUNK_IMAGES, 3, *backbone.spec.image_size, device=backbone.device)
    image_count = len(images) // CHUNK_IMAGES * CHUNK_IMAGES
    run_model(backbone, batch, CHUNK_IMAGES)
    bare, ours = [], []
    for number in range(rounds):
        store = Store(str(folder / f"store-{number}"))
        order = ExtractSpec(
            "block", "lot", store.url, str(lot), "listing", 0, image_count, backbone.spec, str(backbone.device)
        )
        bare.append(timed(lambda: run_model(backbone, batch, image_count), backbone.device))
        ours.append(
            timed(
                lambda store=store, order=order: write_features(store, order, untiled(images[:image_count]), backbone),  # type: ignore[misc]
                backbone.device,
            )
        )
    rates = image_count / min(bare), image_count / min(ours)
    return {"model_images_per_second": rates[0], "images_per_second": rates[1], "fraction": rates[1] / rates[0]}


def main() -> None:
    """Read the options, measure, print; `--json` also writes the figures to a file."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    options.add_argument("--images", type=int, default=64, help="a multiple of 8")
    options.add_argument("--model", default="ViT-B-16", help="an open_clip model, or a JSON file that describes one")
    options.add_argument("--image-size", type=int, action="append", help="may be given more than once")
    options.add_argument("--picture-size", type=int, default=512, help="side of the drawn pictures in pixels")
    options.add_argument("--precision", default="auto", choices=["auto", "float32", "float16", "bfloat16"])
    options.add_argument("--device", default="auto")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", type=Path, help="file for the figures")
    given = options.parse_args()
    rows = []
    with TemporaryDirectory() as folder:
        lot = make_lot(Path(folder) / "lot", given.images, given.picture_size)
        weights, name = make_weights(given.model, Path(folder)), model_name(given.model)
        for size in given.image_size or [224, 512]:
            backbone = backbones.load(
                name, weights=weights, image_size=size, device=given.device, precision=given.precision
            )
            found = compared(backbone, lot, Path(folder) / str(size), given.rounds)
            row = {"model": name, "image_size": size, "precision": backbone.spec.precision, **found}
            rows.append({**row, "device": str(backbone.device)})
            print(
                f"{name} {size} px {backbone.spec.precision} on {backbone.device}: "
                f"model {found['model_images_per_second']:.2f} images/s, "
                f"extraction {found['images_per_second']:.2f} images/s, fraction {found['fraction']:.2f}",
                flush=True,
            )
    if given.json:
        given.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
