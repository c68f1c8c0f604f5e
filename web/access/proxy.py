"""How browsers name the site where a proxy stands before it: by which origin, and below which path.

| a proxy | then |
|---|---|
| shows the site below a path and takes the path away | every link is relative to its page: none leads out of the path |
| passes the path on, or tells it in `X-Forwarded-Prefix` | links begin with the path; requests may have it or not |
| sends the Host it got | that host is answered if it is the one of `--address`, or with a token |
| sends a Host of its own | changes are known by `Sec-Fetch-Site` or `X-Forwarded-Host`; else pages say what to set |
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

ROOT = re.compile(r"(/[A-Za-z0-9._~-]*[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
"""A path of plain names, none of them `.` or `..`."""
OWN_PATHS = ("/lots", "/static")
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Front:
    """What browsers see of the site; nothing of it is known unless it is told."""

    origin: str = ""
    """Scheme, host and port, such as `https://factory.example`; empty if not told."""
    root: str = ""
    """Path below which the site lies, such as `/review`; empty for none."""

    @property
    def host(self) -> str:
        """Host and port, without the scheme's usual port."""
        return host_of(self.origin)


def front_of(address: str, root_path: str) -> Front:
    """What browsers see, as told when the site is started.

    Args:
        address: the site's whole address in a browser; empty if not told.
        root_path: the path of that address; empty if not told, or where the address says it.

    Raises:
        ValueError: naming the option, its rule and what was given.
    """
    parts = urlsplit(address)
    is_malformed = parts.scheme not in DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc
    if address and (is_malformed or parts.query or parts.fragment):
        raise ValueError(
            f"address must be http:// or https:// with a host, and a path if there is one, got {hidden(address)}; give "
            "what browsers open, such as https://factory.example/review"
        )
    address_path, root = parts.path.rstrip("/"), root_path.rstrip("/")
    for name, path in (("root-path", root), ("the path of address", address_path)):
        if path and not ROOT.fullmatch(path):
            raise ValueError(
                f"{name} must begin with / and consist of letters, digits and ._~-, got {path}; give the path that "
                "browsers open, such as /review"
            )
        if f"{path}/".startswith(tuple(f"{own}/" for own in OWN_PATHS)):
            raise ValueError(
                f"{name} must not begin with {' or '.join(OWN_PATHS)}, which are paths of the site itself, got {path}; "
                "have the proxy show the site below another path"
            )
    if root and address_path and root != address_path:
        raise ValueError(f"root-path must be the path of address, got {root} and {address_path}; leave one of them out")
    return Front(f"{parts.scheme}://{parts.netloc}" if address else "", address_path or root)


def hidden(address: str) -> str:
    """An address without a name and password that may stand in it."""
    return re.sub(r"//[^/]*@", "//…@", address)


def host_of(origin: str) -> str:
    """Host and port of an origin, in small letters, without the scheme's usual port.

    >>> host_of("https://Factory.example:443"), host_of("http://factory.example:8080"), host_of("null")
    ('factory.example', 'factory.example:8080', '')
    """
    parts = urlsplit(origin)
    return parts.netloc.lower().removesuffix(f":{DEFAULT_PORTS.get(parts.scheme, '')}")


class BelowRoot:
    """ASGI middleware: requests may name the path below which the site lies, or not; links begin with it."""

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app = app
        self.root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its path as the site has it, below its root."""
        if scope["type"] == "http":
            sent = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
            root = self.root or (sent if ROOT.fullmatch(sent) else "")
            path = f"/{scope['path'].lstrip('/')}"
            own = path.removeprefix(root) if f"{path}/".startswith(f"{root}/") else path
            scope = {**scope, "root_path": root, "path": f"{root}{own or '/'}"}
        await self.app(scope, receive, send)


def link_root(request: Request) -> str:
    """What every link of a page begins with: the root, or if that is not known, the way up from the page."""
    if root := request.scope["root_path"]:
        return f"{root}/"
    path = request.scope.get("raw_path", request.scope["path"].encode())
    return "../" * (path.lstrip(b"/").count(b"/")) or "./"


def own_path(request: Request) -> str:
    """The path of a request as the site has it, without its root."""
    return str(request.scope["path"]).removeprefix(request.scope["root_path"])


def hosts_of(request: Request, front: Front) -> set[str]:
    """Every name by which browsers may know the site, as far as the request or the user tells."""
    forwarded = request.headers.get("x-forwarded-host", "").split(",")[0].strip()
    return {name.lower() for name in (request.headers.get("host", ""), forwarded, front.host) if name}


def unsure_host(request: Request, front: Front) -> str:
    """The Host of a request if a page must compare it with its own address to know whether changes will be taken.

    Empty where that is sure: the browser says itself whether a page asks for its own site, or the name is told.
    """
    sure = "sec-fetch-site" in request.headers or "x-forwarded-host" in request.headers or front.origin
    return "" if sure else request.headers.get("host", "")
