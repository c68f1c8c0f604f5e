"""Anomaly maps as image files for other programs, at the size of each photograph."""

import io

import numpy as np
from PIL import Image

from storage.artefacts import is_complete, writing
from storage.results.runs import Run
from storage.store import Store
from tasks.planning.returns import Stored
from tasks.reporting.heatmaps import boxed, encoded, outlined, overlay
from tasks.reporting.run_view import FinishedRun
from tasks.reporting.specs import MapsSpec
from tasks.runtime import progress


def write_maps(spec: MapsSpec) -> Stored:
    """Make sure a run's maps are stored as files, named like their photographs with an ending added.

    `png` gives `<photograph>.overlay.png`, the heatmap over the photograph, and for flagged images
    `<photograph>.mask.png` (0 or 255); `tiff` gives `<photograph>.tiff`, the anomaly map itself in float32.
    """
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        found = FinishedRun(Run(store, spec.run), spec.folder)
        with writing(store, spec.path) as staging:
            for position, image in enumerate(found.images):
                for ending, content in files_of(found, position, spec.kind).items():
                    store.write(f"{staging.path}/{image.path}.{ending}", content)
                progress.advance("maps", spec.key, 1)
    return Stored(path=spec.path)


def files_of(found: FinishedRun, position: int, kind: str) -> dict[str, bytes]:
    """The files of one image, by ending."""
    image = found.images[position]
    anomaly_map = found.anomaly_map(position, (image.height, image.width))
    if kind == "tiff":
        return {"tiff": float_tiff(anomaly_map)}
    size = (image.width, image.height)
    photograph = found.photograph(position)
    made = {}
    if photograph is not None:
        mask = found.mask(position, size)
        drawn = boxed(outlined(overlay(photograph, anomaly_map, *found.limits), mask), found.boxes(position, size))
        made["overlay.png"] = encoded(drawn, "PNG")
    if found.flagged[position]:
        made["mask.png"] = encoded(Image.fromarray(found.mask(position, size).astype(np.uint8) * 255), "PNG")
    return made


def float_tiff(anomaly_map: np.ndarray) -> bytes:
    """A map as a TIFF of 32-bit floats (Pillow's mode F), compressed without loss."""
    buffer = io.BytesIO()
    Image.fromarray(anomaly_map.astype(np.float32)).save(buffer, "TIFF", compression="tiff_adobe_deflate")
    return buffer.getvalue()
