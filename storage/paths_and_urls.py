"""Local paths and URLs told apart: whatever does not begin with the protocol of a file system is a local path.

fsspec alone takes `line::3` for a chain of file systems, `local:1` for `1`, and cuts an S3 key at `::`.
"""

import os
import re
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
CHAIN = "::"


def open_place(location: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The file system of a local path or URL, and the path as that file system knows it.

    Raises:
        ValueError: if it begins like a URL with a protocol that nothing knows.
    """
    protocol = protocol_of(location)
    if protocol is None:
        return LocalFileSystem(), local_path(location)
    if is_chain(location):
        filesystem, path = fsspec.core.url_to_fs(location)
        return filesystem, str(path)
    kind = fsspec.get_filesystem_class(protocol)
    options = {**options_of(location), **kind._get_kwargs_from_urls(location)}
    return fsspec.filesystem(protocol, **options), str(kind._strip_protocol(location))


def options_of(location: str) -> dict[str, int]:
    """Options of the file system of a local path or URL: on S3 a file is fetched by one request.

    With several at once, s3fs would ask for the size of each file before.
    """
    is_s3 = not is_chain(location) and protocol_of(location) in ("s3", "s3a")
    return {"max_concurrency": 1} if is_s3 else {}


def protocol_of(location: str) -> str | None:
    """The protocol of a URL, of a chain that of its first link; None of a local path.

    >>> protocol_of("s3://bucket/lots"), protocol_of("line::3"), protocol_of("simplecache::s3://bucket")
    ('s3', None, 'simplecache')

    Raises:
        ValueError: if it begins like a URL with a protocol that nothing knows, and no such path is there.
    """
    if is_chain(location):
        return location.split(CHAIN)[0].split("://")[0]
    match = PROTOCOL.match(location)
    if not match:
        return None
    if match[1] in fsspec.available_protocols():
        return match[1]
    if os.path.lexists(location):
        return None
    raise ValueError(
        f"a URL must begin with a known protocol such as s3://, got {location}; correct it, or make that folder before"
    )


def is_chain(location: str) -> bool:
    """Whether a URL is a chain of file systems, such as `simplecache::s3://bucket`: every link names its protocol."""
    links = location.split(CHAIN)
    protocols = fsspec.available_protocols()
    named = [link.split("://")[0] if "://" in link else link for link in links]
    return len(links) > 1 and "://" in location and all(name in protocols for name in named)


def local_path(location: str) -> str:
    """A local path made absolute; `~` is the home of whoever runs this, unless something of that name is there."""
    is_home = location == "~" or location.startswith("~/")
    path = Path(location).expanduser() if is_home and not os.path.lexists(location) else location
    return os.path.abspath(path)  # noqa: PTH100  `resolve` would follow links
