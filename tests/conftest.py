"""Fixtures shared by every room's tests."""

import logging
import os
import re
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pytest

from cli.process.environment import DEFAULTS, ROOMS
from tests.forking import PREFECT, ForkServer, fork_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The many processes that tests start would otherwise compile every library again: torch alone takes seconds.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Small tensors gain nothing from several threads, and threads that wait for a busy processor cost many times the work.
# The variable is for plans and for commands that tests start too, so that neither depends on the machine's cores.
# torch itself is not loaded here: the process that hands tests to others would wait for it before it starts them.
os.environ["OMP_NUM_THREADS"] = "1"

# A shell that runs the tests in the background has them ignore Ctrl-C, and so would every command they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).resolve().parent
SHARED = TESTS.parents[1] / "shared"
HANDLERS = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
"""As pytest has them, before any fixture calls a command."""
NEW_DATABASE = "new.db"
LOGGERS = (*ROOMS, "EventsWorker")
"""Whose levels a command sets."""
CURRENT_TEST = "PYTEST_CURRENT_TEST"
QUICK = "not slow"
"""What `make quick` asks for."""
SLOW_ROOMS = ("benchmarks", "faults", "flows", "walk")
SLOW_FIXTURES = {"browser", "forks", "prefect_forks", "prefect_server", "s3_server"}
SLOW_IMPORTS = re.compile(r"^(import|from) (subprocess|timm|torchvision|open_clip)\b", re.MULTILINE)
"""Processes of their own, and libraries of models, which take longer to import than most files of tests to run."""


LONGEST = (
    *("walk/test_walk.py", "flows/test_restore.py", "flows/test_operations_commands.py", "flows/test_real_server.py"),
    *("flows/test_two_workers.py", "flows/test_device_limit.py", "flows/test_night_alerts.py", "faults/test_dask.py"),
    *("cli/test_conditions.py", "flows/test_compose_services.py", "flows/test_stopping.py", "flows/test_deploy.py"),
    *("flows/test_watch_scores.py", "tasks/test_score_memory.py", "benchmarks/test_photographs.py"),
)
"""Files that begin first, the longest one at once: whoever ended with one of them would keep the others waiting."""


def is_slow(path: Path) -> bool:
    """Whether a file of tests is slow as a whole, by its room or by what it imports; told without importing it."""
    return path.relative_to(TESTS).parts[0] in SLOW_ROOMS or bool(SLOW_IMPORTS.search(path.read_text("utf-8")))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make quick` does not even import slow files."""
    quick = config.option.markexpr == QUICK and collection_path.name.startswith("test_")
    return (quick and is_slow(collection_path)) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server, a browser, a process or seconds, and begin with the files that take longest.

    Single tests that take seconds mark themselves.
    """
    places = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    for item in items:
        if SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ())) or is_slow(item.path):
            item.add_marker("slow")


def restore_logging() -> None:
    """Take away what a command adds to the root logger, and the levels it sets; pytest's own handlers stay."""
    root = logging.getLogger()
    for handler in [found for found in root.handlers if not type(found).__module__.startswith("_pytest")]:
        root.removeHandler(handler)
    for changed in [logger for logger in map(logging.getLogger, LOGGERS) if logger.level != logging.NOTSET]:
        changed.setLevel(logging.NOTSET)  # which is slow, as all loggers forget what they are enabled for


def restore_prefect(known: Any) -> None:
    """Give Prefect the settings that it had, or those of the variables where the test has loaded it."""
    context = sys.modules.get("prefect.context")
    if context and known:
        context.GLOBAL_SETTINGS_CONTEXT = known
    elif context:
        context.refresh_global_settings_context()


def restore_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number, handler in HANDLERS.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def lasting_variables() -> dict[str, str]:
    """What fixtures of the whole session set in the environment, whichever test asked for them first."""
    return {}


@pytest.fixture(scope="session")
def single_threaded_torch() -> ModuleType:
    """torch, which multiplies with one thread unless a test says otherwise."""
    import torch

    torch.set_num_threads(1)
    return torch


@pytest.fixture(autouse=True)
def own_process_state(lasting_variables: dict[str, str], single_threaded_torch: ModuleType) -> Iterator[None]:
    """No test sees what another one left of its process: variables, folder, signals, threads, log, Prefect's settings.

    Commands called in this process set all of them. What waits for a signal on their behalf would end the process that
    runs the tests.
    """
    variables, folder, threads = dict(os.environ), Path.cwd(), single_threaded_torch.get_num_threads()
    settings = getattr(sys.modules.get("prefect.context"), "GLOBAL_SETTINGS_CONTEXT", None)
    restore_signals()  # fixtures of longer life call commands too
    restore_logging()
    yield
    restore_signals()
    restore_logging()
    single_threaded_torch.set_num_threads(threads)
    os.chdir(folder)
    variables |= lasting_variables | {CURRENT_TEST: os.environ[CURRENT_TEST]}
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)
    restore_prefect(settings)


@pytest.fixture(scope="session")
def small_stages() -> dict[str, np.ndarray]:
    """What the authors' code computed on seeded tokens: 9 images, 5 × 5 grid, 2 layers."""
    with np.load(Path(__file__).parent / "data" / "small_stages.npz") as stages:
        return dict(stages)


@pytest.fixture(scope="session")
def reference_folder() -> Path:
    """The larger reference files, which lie beside the project rather than in it."""
    folder = SHARED / "reference"
    if not folder.is_dir():
        pytest.skip("the folder shared/reference is not beside the project")
    return folder


@pytest.fixture(scope="session")
def reference_stages(reference_folder: Path) -> dict[str, np.ndarray]:
    """What the authors' code computed on 16 photographs, stage by stage."""
    with np.load(reference_folder / "stages.npz") as stages:
        return dict(stages)


@pytest.fixture(scope="session")
def magnetic_tiles() -> Path:
    """72 real photographs of magnetic tiles in the MVTec AD layout."""
    folder = SHARED / "data" / "magnetic_tile"
    if not folder.is_dir():
        pytest.skip("the folder shared/data/magnetic_tile is not beside the project")
    return folder


@pytest.fixture
def browser() -> "Iterator[Browser]":
    """Headless Chromium; one for each test, as its event loop would disturb flows in others."""
    from tests.chromium import chromium

    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def forks() -> Iterator[ForkServer]:
    """Starts commands in processes of their own that have the libraries loaded; not for all tests, see there."""
    with fork_server() as server:
        yield server


@pytest.fixture(scope="session")
def prefect_forks(prefect_home: Path) -> Iterator[ForkServer]:
    """Starts Prefect's commands, servers and workers, and they their runs, in processes that have Prefect loaded."""
    with fork_server(*PREFECT) as server:
        yield server


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory, lasting_variables: dict[str, str]) -> Iterator[Path]:
    """Prefect's settings for this process and its children; set before Prefect is imported for the first time."""
    home = tmp_path_factory.mktemp("prefect")
    chosen = {
        **DEFAULTS,
        "PREFECT_HOME": str(home),
        "PREFECT_LOCAL_STORAGE_PATH": str(home / "results"),
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in chosen.items():
            patch.setenv(name, value)
        lasting_variables.update(chosen)
        yield home


@pytest.fixture(scope="session")
def prefect_server(prefect_home: Path) -> Iterator[str]:
    """The address of a running Prefect server on loopback, ended with the tests.

    Its tables, still without a run, are left in `PREFECT_HOME` for servers that commands start themselves: to make them
    takes longer than all else that a server does at its start.
    """
    from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_DATABASE_CONNECTION_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        own = str(PREFECT_SERVER_DATABASE_CONNECTION_URL.value()).partition("///")[2]
        with closing(sqlite3.connect(own)) as source, closing(sqlite3.connect(prefect_home / NEW_DATABASE)) as target:
            source.backup(target)
        shutil.copy(prefect_home / NEW_DATABASE, prefect_home / "prefect.db")
        yield str(PREFECT_API_URL.value())


@pytest.fixture(scope="session")
def new_database(prefect_server: str, prefect_home: Path) -> Path:
    """A database of Prefect with all its tables and no run, to be copied into a home as `prefect.db`."""
    return prefect_home / NEW_DATABASE


class S3Server:
    """An S3 endpoint on loopback that can be down for a while; what it holds outlives that."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        self.make = ThreadedMotoServer
        self.running = self.make("127.0.0.1", 0, verbose=False)
        self.running.start()
        self.address = self.running.get_host_and_port()

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def stop(self) -> None:
        self.running.stop()

    def start(self) -> None:
        self.running = self.make(*self.address, verbose=False)
        self.running.start()


@pytest.fixture(scope="session")
def s3_server(lasting_variables: dict[str, str]) -> Iterator[S3Server]:
    """moto's server, found by everything that reads the usual variables."""
    pytest.importorskip("moto.server", reason="moto's server is not installed")
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = S3Server()
    chosen = {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "anyone",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",  # what repeats is the project, not the client
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in chosen.items():
            patch.setenv(name, value)
        lasting_variables.update(chosen)
        yield server
    server.stop()


@pytest.fixture(scope="session")
def s3_bucket(s3_server: S3Server) -> str:
    """The URL of an empty bucket."""
    fsspec.filesystem("s3").mkdir("lots")
    return "s3://lots"
