"""A signal to the command and all it started, as a terminal or systemd sends it: all of it ends, and calmly."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.killing import PATIENCE_SECONDS, Command, complete


@pytest.mark.parametrize(("number", "engine"), [(signal.SIGINT, "threads"), (signal.SIGTERM, "inline")])
def test_signal_ends_a_command_and_its_own_server(
    number: signal.Signals, engine: str, command: Command, tmp_path: Path
) -> None:
    """Without an address, Prefect's tasks run with a server that the command starts and ends itself."""
    alone = replace(command, server=None)
    process = alone.start_deadly("tasks.score.write_shard", 1, tmp_path, "--engine", engine, number=number)
    said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 128 + number, said
    assert "everything finished is kept" in said
    assert "Traceback" not in said
    assert complete(tmp_path, "patch_scores")
    assert not (tmp_path / "runs").exists()
    deadline = time.monotonic() + PATIENCE_SECONDS
    with pytest.raises(ProcessLookupError):  # once the server has ended too
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.05)
