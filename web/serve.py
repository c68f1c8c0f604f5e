"""Start the site: on loopback for users of this machine, or on another address behind a token."""

import getpass
import ipaddress
import os
import secrets
import signal
import socket
import threading
from dataclasses import dataclass, field
from types import FrameType

import uvicorn

from storage.given_names import SIGN
from storage.results.run_files import Language
from storage.results.runs import FOLDER as RUNS
from storage.results.site_address import FILE as SITE_FILE
from storage.results.site_address import USUAL_PORT
from storage.store import Store, require_path
from web.access.guard import is_loopback
from web.access.proxy import Front, front_of
from web.app import create_app

VARIABLE = "MUSC_WEB_TOKEN"
"""Of the environment, for a token that outlives a restart."""
MIN_TOKEN = 16
"""Characters of a token that is given."""
SECONDS_TO_STOP = 3


@dataclass(frozen=True)
class SiteAddress:
    """Where a site listens, and what its visitors need."""

    host: str
    port: int
    token: str | None
    front: Front = field(default_factory=Front)
    """How browsers name the site."""

    @property
    def address(self) -> str:
        """What a browser opens, without the token; ends with `/`."""
        host = own_address(self.host)
        here = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        return f"{self.front.origin or here}{self.front.root}/"

    @property
    def invitation(self) -> str:
        """What a person opens first: the address, with the token if there is one."""
        return self.address + (f"?token={self.token}" if self.token else "")


def own_address(host: str) -> str:
    """An address of this machine that can be opened where a site listens on all of them; another host as it is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    family, outside, loopback = (
        (socket.AF_INET, "192.0.2.1", "127.0.0.1") if address.version == 4 else (socket.AF_INET6, "2001:db8::1", "::1")
    )
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((outside, 9))  # chooses the way out and sends nothing
            return str(probe.getsockname()[0])
    except OSError:
        return loopback


def require_site_store(url: str) -> Store:
    """The store a site shows.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it holds other files than a store's; one that is empty waits for its first night.
    """
    require_path("store", url)
    store = Store(url)
    if not store.exists(""):
        raise FileNotFoundError(f"store must be an existing folder, got {url}, which does not exist; check the path")
    if not (store.exists(RUNS) or store.exists(SIGN)) and holds_other_files(store):
        raise ValueError(
            f"store must be the --output of earlier runs, got {url}, which has no folder {RUNS} but "
            "other files; check the path, or score a lot first"
        )
    return store


def holds_other_files(store: Store) -> bool:
    """Whether a folder holds anything but the note of a site that waits for the first night."""
    entries = {str(path).rstrip("/").rsplit("/", 1)[-1] for path in store.filesystem.ls(store.full(""), detail=False)}
    return bool(entries - {SITE_FILE})


def place_of(host: str, port: int, address: str = "", root_path: str = "") -> SiteAddress:
    """Where to listen; any address but loopback gets a token, the one in `MUSC_WEB_TOKEN` or a new one.

    Args:
        address: of the site in a browser, if a proxy stands before it.
        root_path: path below which a proxy shows it.

    Raises:
        ValueError: if the port is out of range, the given token is too short, or an address or a path cannot be one.
    """
    front = front_of(address, root_path)
    if not 0 < port < 65536:
        raise ValueError(f"port must be between 1 and 65535, got {port}; {USUAL_PORT} is the default")
    if is_loopback(host):
        return SiteAddress(host, port, None, front)
    token = os.environ.get(VARIABLE) or secrets.token_urlsafe(24)
    if len(token) < MIN_TOKEN:
        raise ValueError(
            f"{VARIABLE} must have at least {MIN_TOKEN} characters, got {len(token)}; leave it out for a new one"
        )
    return SiteAddress(host, port, token, front)


def listening(place: SiteAddress) -> socket.socket:
    """A socket at a place, which answers from now on.

    Raises:
        OSError: if the port is taken or the address is not this machine's, naming both.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise OSError(
            f"host and port must be an address of this machine that is free, got {place.host} port {place.port} "
            f"({error.strerror or error}); give another --port or --host"
        ) from error


def serve(store: Store, place: SiteAddress, listener: socket.socket, language: Language | None = None) -> None:
    """Answer requests until the process is told to stop, by Ctrl-C or SIGTERM; open requests are finished first.

    Args:
        language: of the pages; None for what browsers ask for.
    """
    reviewer = "" if place.token or place.front.origin else user_name()
    app = create_app(store, place.token, reviewer, place.front, language)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SECONDS_TO_STOP,
    )
    server = uvicorn.Server(config)

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    # In the main thread uvicorn would raise the signal once more after its end.
    answering = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    with listener:
        answering.start()
        answering.join()


def user_name() -> str:
    """Name of the user of this machine; empty where the system has none, and for root, which is nobody's name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return ""
    return "" if name == "root" else name
