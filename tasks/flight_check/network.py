"""Checks of what computes: the network's weights, and the device."""

import os

from musc import backbones
from musc.backbones.devices import choose_device, device_type, thread_count
from musc.layers import BackboneSpec
from planning.nights.check_lines import CheckLine, fails, ok
from planning.requests import NightRequest
from reports.run_record import RunRecord
from reports.sentences import counted
from storage.disk_space import readable_bytes
from tasks.runtime.loaded_backbones import load_backbone

DIGEST_SHOWN = 19
"""Characters of a digest, `sha256:` included."""


def requested_network(request: NightRequest) -> BackboneSpec:
    """The network of a request at its only image size, or the largest of several."""
    settings = backbones.with_defaults(request.settings)
    return backbones.resolve_settings(settings, request.resources.device)[-1]


def check_weights(request: NightRequest, newest: RunRecord | None) -> CheckLine:
    """Load the weights, and compare their digest with that of the newest run with this network."""
    spec = requested_network(request)
    load_backbone(spec, request.resources.device)
    text = f"{spec.name}: {spec.weights}, {shown(spec)}"
    known = next((one for one in newest.job.backbones if one.name == spec.name), None) if newest else None
    if newest and known and known.weights_digest != spec.weights_digest:
        return fails(
            "weights",
            f"{text}, but {newest.job.lot} was scored with {shown(known)}",
            "put the former file back; with the new one every lot is scored again, and no earlier night is compared",
        )
    return ok("weights", f"{text}{f', as of {newest.job.lot}' if newest and known else ''}")


def shown(spec: BackboneSpec) -> str:
    """The beginning of a digest."""
    return spec.weights_digest[:DIGEST_SHOWN]


def check_device(request: NightRequest, newest: RunRecord | None) -> CheckLine:
    """Whether the device is there, and is of the kind that the newest run was computed on."""
    device = request.resources.device
    if device_type(device) == "cuda":
        import torch

        chosen = choose_device(device)
        free, total = torch.cuda.mem_get_info(chosen)
        name = torch.cuda.get_device_name(chosen)
        return ok("device", f"{chosen}: {name}, {readable_bytes(free)} of {readable_bytes(total)} free")
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    if device == "auto" and seen.replace(",", "").isdecimal():
        return fails(
            "device",
            f"CUDA_VISIBLE_DEVICES names the GPU {seen}, and there is none, so that the CPU would compute",
            "see whether `nvidia-smi` shows it, and whether the driver was updated without a restart",
        )
    halved = newest is not None and newest.job.backbone.precision != "float32"
    if newest and halved and request.settings.precision == newest.job.settings.precision == "auto":
        return fails(
            "device",
            f"{device_type(device)}, but {newest.job.lot} was computed in {newest.job.backbone.precision} by a GPU",
            "see whether the GPU is there; else every lot is scored again, as the precision differs",
        )
    return ok("device", f"{device_type(device)}, {counted(thread_count(), 'thread')}")
