"""libtiff writes what it thinks of a damaged file to the process's standard error; Pillow raises the same as an error.

Pillow has no switch for it, so libtiff's own is used, in the very library that Pillow has loaded.
"""

import ctypes
import re
from pathlib import Path

LOADED = Path("/proc/self/maps")
"""Where Linux lists the libraries of a process; elsewhere libtiff keeps talking."""


def silence() -> None:
    """Have every loaded libtiff print nothing; to be called after Pillow is imported."""
    listed = LOADED.read_text() if LOADED.is_file() else ""
    for path in sorted(set(re.findall(r"/\S*/libtiff(?:-\w+)?\.so\S*", listed))):
        library = ctypes.CDLL(path)
        for setter in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
            setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
            setter(None)
