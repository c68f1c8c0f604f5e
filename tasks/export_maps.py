"""Anomaly maps as image files for other programs, at the size of each photograph."""

import errno
import io
import logging

import numpy as np
from PIL import Image

from planning.task_results import StoredArtefact
from reports.page.finished_run import FinishedRun
from reports.page.heatmaps import draw_boxes, draw_outlines, encode_picture, overlay
from reports.page.run_files_specs import MapsSpec
from storage.artefacts import is_complete, writing
from storage.given_names import name_digest, short_name
from storage.results.runs import Run
from storage.store import Store
from storage.tables import write_table
from tasks.runtime import progress

log = logging.getLogger(__name__)

TABLE = "maps.parquet"
"""Which file shows which photograph: `path` of the photograph, `file` in the folder of the maps."""
REFUSED_NAMES = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}
"""Errors of disks that hold shorter names or fewer characters than the photographs' own disk."""


def write_maps(spec: MapsSpec) -> StoredArtefact:
    """Make sure a run's maps are stored as files, named like their photographs with an ending added.

    `png` gives `<photograph>.overlay.png`, the heatmap over the photograph, and for flagged and suspect images
    `<photograph>.mask.png` (0 or 255); `tiff` gives `<photograph>.tiff`, the anomaly map itself in float32. Names
    beyond 200 bytes are shortened with a digest; `maps.parquet` lists all files.
    """
    import pandas as pd

    store = Store(spec.store)
    if not is_complete(store, spec.path):
        finished = FinishedRun(Run(store, spec.run), spec.folder)
        with writing(store, spec.path) as staging:
            rows = []
            for position, image in enumerate(finished.images):
                for ending, content in files_of(finished, position, spec.kind).items():
                    rows.append((image.path, write_named(store, staging.path, image.path, f".{ending}", content)))
                progress.advance("maps", spec.key, 1)
            write_table(store, f"{staging.path}/{TABLE}", pd.DataFrame(rows, columns=["path", "file"]))
    return StoredArtefact(path=spec.path)


def write_named(store: Store, folder: str, path: str, ending: str, content: bytes) -> str:
    """Write a file called like a photograph, or, where the disk refuses that name, by a digest of it.

    Returns:
        Its path in the folder.
    """
    parent, slash, name = path.rpartition("/")
    file = f"{parent}{slash}{short_name(name, ending)}"
    try:
        store.write(f"{folder}/{file}", content)
    except OSError as error:
        if error.errno not in REFUSED_NAMES:
            raise
        file = name_digest(path) + ending
        log.info("the disk refuses the name %s; the map is written as %s", path, file)
        store.write(f"{folder}/{file}", content)
    return file


def files_of(finished: FinishedRun, position: int, kind: str) -> dict[str, bytes]:
    """The files of one image, by ending."""
    image = finished.images[position]
    anomaly_map = finished.anomaly_map(position, (image.height, image.width))
    if kind == "tiff":
        return {"tiff": float_tiff(anomaly_map)}
    size = (image.width, image.height)
    photograph = finished.photograph(position)
    contents = {}
    if photograph is not None:
        mask = finished.mask(position, size)
        heat = draw_boxes(
            draw_outlines(overlay(photograph, anomaly_map, *finished.limits), mask), finished.boxes(position, size)
        )
        contents["overlay.png"] = encode_picture(heat, "PNG")
    if finished.listed[position]:
        contents["mask.png"] = encode_picture(
            Image.fromarray(finished.mask(position, size).astype(np.uint8) * 255), "PNG"
        )
    return contents


def float_tiff(anomaly_map: np.ndarray) -> bytes:
    """A map as a TIFF of 32-bit floats (Pillow's mode F), compressed without loss."""
    buffer = io.BytesIO()
    Image.fromarray(anomaly_map.astype(np.float32)).save(buffer, "TIFF", compression="tiff_adobe_deflate")
    return buffer.getvalue()
