"""Tags of a flow run, by which Prefect's UI finds the runs of a product, a lot, a network or a device."""

from musc.backbones.devices import device_type
from planning.lot_job import LotJob


def run_tags(job: LotJob) -> list[str]:
    """Category, lot, backbone and device."""
    device = device_type(job.allocation.device)
    return [f"category:{job.category}", f"lot:{job.lot}", f"backbone:{job.backbone.name}", f"device:{device}"]
