"""`prefect.yaml` deploys as it stands; releases of fastapi outside the pinned range break exactly this."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def prefect(server: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", *words],
        cwd=ROOT,
        env={**os.environ, "PREFECT_API_URL": server, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_deploy_all(prefect_server: str) -> None:
    prefect(prefect_server, "work-pool", "create", "musc", "--type", "process", "--overwrite")
    prefect(prefect_server, "deploy", "--all")
    assert "score-lot/score-lot" in prefect(prefect_server, "deployment", "ls")
