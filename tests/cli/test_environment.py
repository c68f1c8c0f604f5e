"""The log of a command: the rooms' own lines only where asked for, warnings of libraries always."""

import subprocess
import sys

import pytest

CODE = """
import logging
from cli.environment import prepare_environment
prepare_environment(verbose={verbose})
logging.getLogger("flows.nights").warning("a note")
logging.getLogger("tasks.extract").info("a block")
logging.getLogger("library").warning("a warning")
logging.getLogger("library").info("nothing")
"""


@pytest.mark.parametrize(
    ("verbose", "lines"),
    [
        (False, ["WARNING library: a warning"]),
        (True, ["WARNING flows.nights: a note", "INFO tasks.extract: a block", "WARNING library: a warning"]),
    ],
)
def test_log_shows_what_was_asked_for(verbose: bool, lines: list[str]) -> None:
    code = CODE.format(verbose=verbose)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == lines
