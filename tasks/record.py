"""The record of a run: what was run, on what, with which versions."""

import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import musc
from storage.lots import ListedImage, usable_images
from tasks.orders import RunOrder
from tasks.verdict import Verdict

RECORD_VERSION = 2
PACKAGES = (
    "torch",
    "torchvision",
    "open_clip_torch",
    "timm",
    "numpy",
    "zarr",
    "pillow",
    "prefect",
)


def run_record(order: RunOrder, images: Sequence[ListedImage], verdict: Verdict) -> dict[str, Any]:
    """Everything needed to run a lot again, as plain JSON values."""
    return {
        "record_version": RECORD_VERSION,
        **asdict(order.job),
        "decision": verdict.as_record(),
        "groups": verdict.group_records(usable_images(images)),
        "warnings": verdict.warnings,
        "images": dict(Counter(image.status for image in images)),
        "keys": {
            "run": order.key,
            "listing": order.lot_key,
            "features": list(order.blocks),
            "patch_scores": [path for _, path in order.shards],
        },
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Versions of this project, Python and the packages that take part in the numbers."""
    return {
        "musc": musc.__version__,
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }
