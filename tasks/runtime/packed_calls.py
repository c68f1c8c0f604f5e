"""Calls as bytes, so that a process that only passes them on, as Dask's scheduler, imports nothing that they need."""

import pickle
from collections.abc import Callable
from typing import Any


def pack(function: Callable[..., Any], *arguments: Any, **named: Any) -> bytes:
    """A call as bytes; functions are found by their names where it is run, those without a name travel themselves."""
    import cloudpickle

    return bytes(cloudpickle.dumps((function, arguments, named)))


def run_packed(call: bytes) -> Any:
    """Run what `pack` made and return what it returns."""
    function, arguments, named = pickle.loads(call)  # nosec B301: Dask's workers unpickle what its client sends anyway
    return function(*arguments, **named)
