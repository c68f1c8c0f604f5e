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


def open_place(place: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The file system of a local path or URL, and the path as that file system knows it.

    Raises:
        ValueError: if it begins like a URL with a protocol that nothing knows.
    """
    protocol = protocol_of(place)
    if protocol is None:
        return LocalFileSystem(), local_path(place)
    if is_chain(place):
        filesystem, path = fsspec.core.url_to_fs(place)
        return filesystem, str(path)
    kind = fsspec.get_filesystem_class(protocol)
    options = {**options_of(place), **kind._get_kwargs_from_urls(place)}
    return fsspec.filesystem(protocol, **options), str(kind._strip_protocol(place))


def options_of(place: str) -> dict[str, int]:
    """Options of the file system of a local path or URL: on S3 a file is fetched by one request.

    With several at once, s3fs would ask for the size of each file before.
    """
    is_s3 = not is_chain(place) and protocol_of(place) in ("s3", "s3a")
    return {"max_concurrency": 1} if is_s3 else {}


def protocol_of(place: str) -> str | None:
    """The protocol of a URL, of a chain that of its first link; None of a local path.

    >>> protocol_of("s3://bucket/lots"), protocol_of("line::3"), protocol_of("simplecache::s3://bucket")
    ('s3', None, 'simplecache')

    Raises:
        ValueError: if it begins like a URL with a protocol that nothing knows, and no such path is there.
    """
    if is_chain(place):
        return place.split(CHAIN)[0].split("://")[0]
    found = PROTOCOL.match(place)
    if not found:
        return None
    if found[1] in fsspec.available_protocols():
        return found[1]
    if os.path.lexists(place):
        return None
    raise ValueError(
        f"a URL must begin with a known protocol such as s3://, got {place}; correct it, or make that folder before"
    )


def is_chain(place: str) -> bool:
    """Whether a URL is a chain of file systems, such as `simplecache::s3://bucket`: every link names its protocol."""
    links = place.split(CHAIN)
    known = fsspec.available_protocols()
    named = [link.split("://")[0] if "://" in link else link for link in links]
    return len(links) > 1 and "://" in place and all(name in known for name in named)


def local_path(place: str) -> str:
    """A local path made absolute; `~` is the home of whoever runs this, unless something of that name is there."""
    is_home = place == "~" or place.startswith("~/")
    path = Path(place).expanduser() if is_home and not os.path.lexists(place) else place
    return os.path.abspath(path)  # noqa: PTH100  `resolve` would follow links
