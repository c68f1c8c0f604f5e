"""Engine: what runs the tasks of a lot, and how many of them share this machine."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, cast, get_args

import torch

EngineName = Literal["inline", "threads", "dask"]
GPU = "GPU"
"""The Dask resource of a worker that has a GPU to itself: one per worker, one taken by every task."""
CORES_PER_WORKER = 2
"""On a machine without a GPU; each worker keeps a backbone of its own in memory."""


@dataclass(frozen=True)
class Engine:
    """This process without Prefect, a thread of the flow's process, or Dask workers here or behind an address."""

    name: EngineName = "threads"
    dask_address: str | None = None
    """Of a running scheduler; None starts workers on this machine for as long as the flow runs."""
    workers: int = 1
    """Processes that share one machine; with an address as the user says, as nobody else knows before it is opened."""
    gpus: int = 0
    """How many of these workers have a GPU to themselves; none or all."""

    @property
    def sharing(self) -> int:
        """Workers that divide this machine's processor and memory."""
        return self.workers if not self.gpus else 1


THREADS = Engine()


def chosen_engine(
    name: str, *, dask_address: str | None, workers: int | None, device: str, kind: str, core_count: int
) -> Engine:
    """Check what a user asked for and complete it.

    Args:
        name: `inline`, `threads` or `dask`.
        dask_address: of a running Dask scheduler, such as `tcp://10.0.0.5:8786`.
        workers: processes that share this machine: with an address 1 unless given, else one per GPU, or one for every
            two cores.
        device: as the user named it.
        kind: of the device chosen here, `cpu` or `cuda`.
        core_count: processor cores that may be used.

    Raises:
        ValueError: naming the first parameter that does not fit, or what is to be installed.
    """
    if name not in get_args(EngineName):
        raise ValueError(f"engine must be inline, threads or dask, got {name!r}; inline needs nothing else")
    for option, value in (("dask_address", dask_address), ("workers", workers)):
        if name != "dask" and value is not None:
            raise ValueError(f"{option} must go with the engine dask, got {value!r} with {name}; add --engine dask")
    if name != "dask":
        return Engine(cast(EngineName, name))
    if find_spec("prefect_dask") is None:
        raise ValueError("engine dask must have prefect-dask installed, got none; pip install 'musc-pipeline[dask]'")
    if ":" in device:
        raise ValueError(
            f"device must be auto, cpu or cuda with the engine dask, got {device!r}; every worker has its own GPU, "
            "and CUDA_VISIBLE_DEVICES says which ones there are"
        )
    gpu_count = torch.cuda.device_count() if kind == "cuda" else 0
    of_this_machine = gpu_count or max(1, core_count // CORES_PER_WORKER)
    count = workers if workers is not None else 1 if dask_address else of_this_machine
    if count < 1 or (gpu_count and count > gpu_count):
        most = f" and at most {gpu_count}, the GPUs of this machine" if gpu_count else ""
        raise ValueError(f"workers must be at least 1{most}, got {count}; leave it out for one per device")
    return Engine("dask", dask_address, workers=count, gpus=count if gpu_count else 0)
