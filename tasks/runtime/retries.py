"""Retries: which errors are transient, how often they are retried, and after which delays."""

import errno
import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from storage.disk_space import FULL
from storage.errors import StorageError

log = logging.getLogger(__name__)

Result = TypeVar("Result")

RETRIES = 3
FIRST_DELAY_SECONDS = 1.0
"""Before the first repetition; twice as long before each of the next."""
JITTER = 0.5
"""A delay is lengthened by up to this fraction of itself, so that workers do not come back together."""

FULL_OR_CLOSED = {*FULL, errno.EROFS}
"""Disks that will be as full, or as read-only, in a few seconds: repeating only hides what a person has to mend."""
TRANSIENT_KINDS = {
    ("botocore.exceptions", "HTTPClientError"),
    ("botocore.exceptions", "ConnectionError"),
    ("fsspec.exceptions", "FSTimeoutError"),
}
"""Errors of the network that are no `OSError`, by name: what raises them is an optional extra."""

PERMANENT_ERRORS = (StorageError, FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
"""What no repetition mends, though some of it is an `OSError`."""


def is_transient(error: object) -> bool:
    """Whether what failed may succeed when repeated: input and output may, wrong settings never will."""
    if isinstance(error, PERMANENT_ERRORS) or getattr(error, "errno", None) in FULL_OR_CLOSED:
        return False
    return isinstance(error, OSError) or any(
        (kind.__module__, kind.__name__) in TRANSIENT_KINDS for kind in type(error).__mro__
    )


def with_retries(action: Callable[[], Result]) -> Result:
    """Call an action, and again after a transient error, up to `RETRIES` times.

    Raises:
        Exception: what the last call raised.
    """
    for attempt in range(RETRIES):
        try:
            return action()
        except Exception as error:
            if not is_transient(error):
                raise
            delay = FIRST_DELAY_SECONDS * 2**attempt * random.SystemRandom().uniform(1, 1 + JITTER)
            log.warning("attempt %d failed, repeated in %.1f s: %s", attempt + 1, delay, error)
        time.sleep(delay)
    return action()
