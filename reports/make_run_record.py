"""The record of a run: what was run, on what, with which versions."""

import platform
from collections import Counter
from collections.abc import Sequence
from datetime import UTC
from importlib.metadata import version

import musc
from musc.backbones.cautions import CAUTIONS
from musc.backbones.devices import device_type
from musc.settings import PAPER_BACKBONE
from planning.stage_versions import RECORD_VERSION
from planning.task_specs import RunSpec
from reports.decisions import LotResult
from reports.run_record import RunKeys, RunRecord
from storage.artefacts import digest
from storage.images.lots import ListedImage, usable_images
from storage.local_time import local_now

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


def run_record(
    spec: RunSpec, images: Sequence[ListedImage], result: LotResult, nights: tuple[str, ...] = ()
) -> RunRecord:
    """Everything needed to run a lot again, and when it was written (UTC).

    Args:
        result: what was decided about those that were scored.
        nights: paths of the earlier runs whose scores were given to the rule.
    """
    job, moment = spec.job, local_now()
    return RunRecord(
        record_version=RECORD_VERSION,
        recorded=moment.astimezone(UTC).isoformat(timespec="microseconds"),
        recorded_day=moment.date().isoformat(),
        settings_digest=digest(job.score_identity),
        job=job,
        decision=result.record(nights),
        groups=result.group_records(usable_images(images)),
        notes=tuple(notes(job.backbone.name, device_type(job.allocation.device))),
        warnings=(*cautions(job.backbone.name), *result.warnings),
        earlier_references=spec.earlier,
        images=dict(Counter(image.status for image in images)),
        keys=RunKeys(
            run=spec.key,
            listing=spec.lot_key,
            features=spec.blocks,
            patch_scores=tuple(path for _, path in spec.shards),
            groups=(spec.groups,) if spec.groups else (),
            good=(spec.good.listing, *spec.good.blocks, *(path for _, path in spec.good.shards)) if spec.good else (),
            regions=(job.region.patches,) if job.region else (),
            smaller_features=spec.smaller_blocks,
        ),
        versions=versions(),
    )


def notes(backbone: str, device_type: str) -> list[str]:
    """What a reader should know of the choices that a result was made with."""
    if device_type != "cuda" or backbone == PAPER_BACKBONE:
        return []
    return [f"A GPU is present, which the paper's backbone needs: --backbone {PAPER_BACKBONE} scores with it."]


def cautions(backbone: str) -> list[str]:
    """What must be known of any result made with this backbone."""
    return [CAUTIONS[backbone]] if backbone in CAUTIONS else []


def versions() -> dict[str, str]:
    """Versions of this project, Python and the packages that take part in the numbers."""
    return {
        "musc": musc.__version__,
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def versions_line() -> str:
    """The versions as one text, e.g. `musc 0.1.0, python 3.11.2, torch 2.9.1 …`, for the rows of a table."""
    return ", ".join(f"{name} {number}" for name, number in versions().items())
