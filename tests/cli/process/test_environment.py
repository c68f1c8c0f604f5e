"""The log of a command: the rooms' own lines only where asked for, warnings of libraries always."""

import os
import subprocess
import sys

import pytest

from cli.process import environment
from cli.process.environment import keep_loopback_direct

CODE = """
import logging
from cli.process.environment import prepare_environment
prepare_environment({verbosity})
logging.getLogger("flows.pipelines.night").warning("a note")
logging.getLogger("tasks.extract").info("a block")
logging.getLogger("storage.artefacts").debug("a detail")
logging.getLogger("library").warning("a warning")
logging.getLogger("library").info("nothing")
"""


@pytest.mark.parametrize(
    ("verbosity", "lines"),
    [
        (0, ["WARNING library: a warning"]),
        (1, ["WARNING flows.pipelines.night: a note", "INFO tasks.extract: a block", "WARNING library: a warning"]),
        (
            2,
            [
                "WARNING flows.pipelines.night: a note",
                "INFO tasks.extract: a block",
                "DEBUG storage.artefacts: a detail",
                "WARNING library: a warning",
            ],
        ),
    ],
)
def test_log_shows_what_was_asked_for(verbosity: int, lines: list[str]) -> None:
    code = CODE.format(verbosity=verbosity)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == lines


def test_garbage_is_sought_less_often_in_commands() -> None:
    code = "import gc; from cli.process.environment import prepare_environment as p; p(0); print(gc.get_threshold()[0])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == environment.COLLECTED_AFTER


def test_calls_to_this_machine_go_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "plant.example,127.0.0.1")
    monkeypatch.delenv("no_proxy", raising=False)
    keep_loopback_direct()
    assert os.environ["NO_PROXY"] == "plant.example,127.0.0.1,localhost,::1"
    assert os.environ["no_proxy"] == "localhost,127.0.0.1,::1"
    monkeypatch.setenv("no_proxy", "")


@pytest.mark.parametrize(("usable", "left"), [(True, "socks5://127.0.0.1:9"), (False, None)])
def test_socks_proxy_that_nothing_can_use_is_left_out(
    usable: bool, left: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setattr(environment, "find_spec", lambda name: object() if usable else None)
    keep_loopback_direct()
    assert os.environ.get("ALL_PROXY") == left
