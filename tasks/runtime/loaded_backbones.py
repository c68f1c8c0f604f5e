"""The backbone of this process: loaded once, used by every task run that needs the same one."""

import logging
import threading
import time
from collections.abc import Sequence
from functools import lru_cache

from musc import backbones
from musc.backbones import Backbone
from musc.layers import BackboneSpec
from planning.task_specs import ExtractSpec
from tasks.runtime import progress

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 300.0
"""For so long weights that could not be had are not asked for again: every attempt tries the network for a minute."""

_lock = threading.Lock()
_failures: dict[BackboneSpec, tuple[float, backbones.WeightsUnavailableError]] = {}


def load_ahead(specs: Sequence[ExtractSpec]) -> None:
    """Load the backbone in this process first, so that unusable weights are one error and not one per task.

    Raises:
        musc.backbones.WeightsUnavailableError: if its weights are neither here nor downloadable.
        FileNotFoundError: if the weight file is gone.
        ValueError: if the weights do not fit the model, or the file has changed.
    """
    load_backbone(specs[0].backbone, specs[0].device)


def load_backbone(spec: BackboneSpec, device: str) -> Backbone:
    """The backbone of a specification; the last one used stays in memory.

    Raises:
        musc.backbones.WeightsUnavailableError: if its weights are neither here nor downloadable.
    """
    with _lock:
        since, failure = _failures.get(spec, (0.0, None))
        if failure and time.monotonic() - since < PATIENCE_SECONDS:
            raise failure
        try:
            return _load(spec, device)
        except backbones.WeightsUnavailableError as error:
            _failures[spec] = time.monotonic(), error
            raise


@lru_cache(maxsize=1)
def load_on_cpu(spec: BackboneSpec) -> Backbone:
    """The backbone on the CPU, beside the one on a GPU whose memory does not suffice."""
    log.info("loading %s on the CPU too", spec.name)
    return backbones.build(spec, "cpu")


@lru_cache(maxsize=1)
def _load(spec: BackboneSpec, device: str) -> Backbone:
    progress.doing(f"loading the network {spec.name} …")
    log.info("loading %s, weights %s, on %s", spec.name, spec.weights, device)
    return backbones.build(spec, device)
