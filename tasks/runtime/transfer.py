"""Tensors to and from a device. With a GPU, copies go through pinned memory, so that they run beside the model."""

import torch


def to_device(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the host on a device; a GPU may still be copying when this returns."""
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def to_host(values: torch.Tensor) -> torch.Tensor:
    """A tensor on the host, its values complete."""
    if values.device.type != "cuda":
        return values.cpu()
    pinned = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    pinned.copy_(values, non_blocking=True)
    torch.cuda.current_stream(values.device).synchronize()
    return pinned
