"""Compile a function with numba when it is defined, once per machine if possible.

The machine code is kept beside the module, or in the user's cache folder where the installation is not writable; the
environment variable NUMBA_CACHE_DIR names another one. Where none is writable each process compiles for itself.
"""

import logging
from collections.abc import Callable
from typing import Any

import numba

log = logging.getLogger(__name__)

Function = Callable[..., Any]


def compiled(signature: str, **options: Any) -> Callable[[Function], Function]:
    """Compile a function for one signature; no other variant is ever made.

    Kept machine code is made again when the function's module changes, not when one that it imports does: what is
    compiled into it belongs into the same module.

    Args:
        signature: numba's types of the result and of the arguments.
        options: of `numba.njit`.
    """

    def compile_now(function: Function) -> Function:
        try:
            return numba.njit(signature, cache=True, **options)(function)
        except (OSError, RuntimeError) as error:  # no folder for the machine code, or one that takes no more
            log.info("%s is compiled for this process only: %s", function.__name__, error)
            return numba.njit(signature, **options)(function)

    return compile_now
