"""Resources: where a lot is scored, and with how much of the machine; they decide no score.

`Resources` is what a user asks for, `Allocation` what a job gets on this machine.
"""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, ByteSize, TypeAdapter, model_validator

from musc.backbones.devices import choose_device, device_type, thread_count
from musc.settings.pydantic_options import Options, option
from planning.machine_memory import MEMORY_SHARE, host_memory_bytes

EngineName = Literal["inline", "threads", "dask"]
GPU = "GPU"
"""The Dask resource of a worker that has a GPU to itself: one per worker, one taken by every task."""
CORES_PER_WORKER = 2
"""On a machine without a GPU; each worker keeps a backbone of its own in memory."""
SIZE = re.compile(r"\s*\d*\.?\d+\s*[A-Za-z]*\s*")


def read_bytes(value: object) -> object:
    """A number of bytes from a text such as `8GB` or `512MiB`; other values as they are.

    Raises:
        ValueError: if the text is no size.
    """
    try:
        if isinstance(value, str) and not SIZE.fullmatch(value):
            raise ValueError(value)
        return TypeAdapter(ByteSize).validate_python(value)
    except ValueError:  # as pydantic's too
        raise ValueError(
            f"memory must be a positive size such as 8GB or 512MiB, got {value!r}; give a number and a unit"
        ) from None


class WatchResources(Options):
    """Resources: where the work is done, and with how much memory."""

    device: str = option("auto", "auto, cpu, cuda, cuda:1 …. auto is the first GPU where there is one.", common=True)
    memory: Annotated[ByteSize, BeforeValidator(read_bytes)] | None = option(
        None,
        "Most memory one scoring shard may use, such as 8GB. Default: half of the GPU's, or of the machine's.",
        metavar="SIZE",
        gt=0,
    )
    block_images: int | None = option(
        None,
        "Images per extraction task, a multiple of 8. Default: 64, more for very large lots.",
        ge=8,
        multiple_of=8,
        expert=True,
    )


class Resources(WatchResources):
    """Resources: where the work is done, and with how much memory; they decide no score."""

    store_aggregated: bool = option(
        False,
        "Write features after LNAMD too, for programs of your own, in float32: twice the space of the features for "
        "each degree. Scores stay the same.",
        expert=True,
    )
    engine: EngineName | None = option(
        None,
        "inline, in this process without Prefect; threads, as Prefect tasks; or dask, a worker process per GPU. "
        "Default: dask where dask_address or workers is given, else threads in deployments and where an API is "
        "configured, else inline.",
    )
    dask_address: str | None = option(
        None,
        "A running Dask scheduler whose workers reach images and store, such as tcp://10.0.0.5:8786. Default: workers "
        "are started here.",
    )
    workers: int | None = option(
        None,
        "Dask worker processes per machine. Default: one per GPU, or one for every two cores; with an address 1.",
        ge=1,
    )

    @model_validator(mode="after")
    def _workers_are_of_dask(self) -> Self:
        for name in ("dask_address", "workers"):
            if self.engine not in (None, "dask") and getattr(self, name) is not None:
                raise ValueError(f"{name} must go with the engine dask, got {self.engine}; leave out one of the two")
        return self

    @property
    def named_engine(self) -> EngineName | None:
        """The engine that is asked for by its name or by options that it alone has, if any is."""
        of_dask = self.dask_address is not None or self.workers is not None
        return self.engine or ("dask" if of_dask else None)


@dataclass(frozen=True)
class Engine:
    """This process without Prefect, a thread of the flow's process, or Dask workers here or behind an address."""

    name: EngineName = "threads"
    dask_address: str | None = None
    """Of a running scheduler; None starts workers on this machine for as long as the flow runs."""
    workers: int = 1
    """Processes that share one machine; with an address the number that the user gives."""
    gpus: int = 0
    """How many of these workers have a GPU to themselves; none or all."""

    @property
    def sharing(self) -> int:
        """Workers that divide this machine's CPU and memory."""
        return self.workers if not self.gpus else 1


THREADS = Engine()


@dataclass(frozen=True)
class Allocation:
    """The resources of a job on this machine."""

    device: str
    memory_bytes: int
    """Most that one scoring shard may use."""
    block_images: int | None = None
    store_aggregated: bool = False
    thread_count: int = 1
    """Threads that score at once."""
    engine: Engine = THREADS


def allocate(requested: Resources) -> Allocation:
    """What a user asked for, checked against this machine and completed.

    Raises:
        ValueError: naming the first option that does not fit, or what is to be installed.
    """
    cores, gpu_count, usable = thread_count(), 0, host_memory_bytes()
    if device_type(requested.device) == "cuda":
        import torch

        gpu_count = torch.cuda.device_count()
        usable = int(torch.cuda.mem_get_info(choose_device(requested.device))[1])
    engine = choose_engine(requested, gpu_count=gpu_count, cores=cores)
    return Allocation(
        device=requested.device,
        memory_bytes=int(requested.memory or MEMORY_SHARE * usable // engine.sharing),
        block_images=requested.block_images,
        store_aggregated=requested.store_aggregated,
        thread_count=max(1, cores // engine.sharing),
        engine=engine,
    )


def choose_engine(requested: Resources, *, gpu_count: int, cores: int) -> Engine:
    """The engine of a job.

    Args:
        gpu_count: GPUs of this machine that may be used; 0 where the device is the CPU.
        cores: CPU cores that may be used.

    Raises:
        ValueError: naming the first option that does not fit, or what is to be installed.
    """
    name = requested.named_engine or "threads"
    if name != "dask":
        return Engine(name)
    if find_spec("prefect_dask") is None:
        raise ValueError("engine dask must have prefect-dask installed, got none; pip install 'musc-pipeline[dask]'")
    if ":" in requested.device:
        raise ValueError(
            f"device must be auto, cpu or cuda with the engine dask, got {requested.device!r}; every worker has "
            "its own GPU, and CUDA_VISIBLE_DEVICES says which ones there are"
        )
    of_this_machine = gpu_count or max(1, cores // CORES_PER_WORKER)
    count = requested.workers if requested.workers is not None else 1 if requested.dask_address else of_this_machine
    if gpu_count and count > gpu_count:
        raise ValueError(
            f"workers must be at most {gpu_count}, the GPUs of this machine, got {count}; leave it out for one per GPU"
        )
    return Engine("dask", requested.dask_address, workers=count, gpus=count if gpu_count else 0)
