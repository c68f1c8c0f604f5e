"""A job of nineteen images in blocks of eight, and copies of it in which something is different."""

from dataclasses import replace
from typing import Any

from planning.lot_job import LotJob
from planning.resources import Allocation
from storage.images.lots import ListedImage
from tests.flat import chosen, job_of

JOB = job_of(settings=chosen(backbone="net", degrees=(1, 3)), allocation=Allocation("cpu", 10**9, 8))
BACKBONE = JOB.backbone
LAYER = BACKBONE.layers[0]
LOT = [ListedImage(f"id{number}", f"{number}.png", f"sha{number}", 64, 64, "ok", "") for number in range(19)]


def contents(lot: list[ListedImage]) -> list[str]:
    return [image.sha256 for image in lot]


def with_settings(**changes: Any) -> LotJob:
    return replace(JOB, settings=JOB.settings.changed(**changes))


def with_backbone(**changes: Any) -> LotJob:
    return replace(JOB, backbone=replace(JOB.backbone, **changes))
