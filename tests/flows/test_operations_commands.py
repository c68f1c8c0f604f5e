"""docs/operations.md word for word: its commands, pasted at once, lead to a night on SQLite and on PostgreSQL."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.datasets.synthetic.lot import draw_part, save_png
from tests.flows.pasted import SHELL_PATIENCE_SECONDS, Account, account, commands, end_group
from tests.flows.postgresql import Cluster, become_postgres, cluster
from tests.flows.real_server import NO_AUTHORITIES, wait_for
from tests.forking import ForkServer

__all__ = ["cluster"]
pytestmark = pytest.mark.timeout(1800)

NIGHT = "prefect deployment run nightly-lots/nightly-lots"
WORKER = "prefect worker start --pool musc --type process --limit 1"
NO_WAY_OUT = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
PASSWORD = "PASSWORD"
"""The document's own placeholder."""


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lot of seven parts."""
    root = tmp_path_factory.mktemp("lots")
    for number in range(7):
        picture, _ = draw_part("cast", "stain" if number > 4 else None, seed=3, number=number, size=128)
        save_png(picture, root / "bolt" / "2026-11-20" / f"{number:03d}.png")
    return root


def ended_night(user: Account) -> dict[str, Any]:
    """The night's run once it has come to an end."""

    def final() -> dict[str, Any] | None:
        body = {"flows": {"name": {"any_": ["score-lots", "nightly-lots"]}}}
        try:
            asked = httpx.post(f"{user.address}/flow_runs/filter", json=body, timeout=60, verify=NO_AUTHORITIES)
            runs = asked.json()
        except httpx.HTTPError:
            return None
        states = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
        return next((run for run in runs if run["state_type"] in states), None)

    return wait_for("end of the night", final, SHELL_PATIENCE_SECONDS)


def require_a_night(user: Account, lines: list[str]) -> None:
    """Paste the lines, the last of which starts a worker, and see the lot scored."""
    shell = user.start(lines)
    try:
        night = ended_night(user)
        said = user.said  # before the worker and its server end in any spec
    except AssertionError as error:
        raise AssertionError(f"{error}\n{user.said}") from error
    finally:
        end_group(shell)
    for unwanted in ("FAILED", "Traceback", "Unable to connect"):
        assert unwanted not in said, said
    assert night["state_type"] == "COMPLETED", night["state"]
    assert list((user.project / "musc-results" / "runs").glob("bolt-2026-11-20-*/scores.parquet"))


def test_steps_to_a_scheduled_night_work_pasted_at_once(lots: Path, tmp_path: Path) -> None:
    """All but the two that install, in new interpreters; a proxy that lets nothing through stands for no internet."""
    lines = commands("From nothing to a scheduled night")[2:]
    assert (lines[-2], lines[-1]) == (NIGHT, WORKER)
    with account(tmp_path, **NO_WAY_OUT) as user:
        placed = [line.replace("4200", str(user.port)).replace("/data/lots", str(lots)) for line in lines]
        require_a_night(user, placed)


def test_steps_to_postgresql_lead_to_a_night(
    cluster: Cluster, prefect_forks: ForkServer, lots: Path, tmp_path: Path
) -> None:
    lines = commands("Server: SQLite or PostgreSQL")
    assert sum(PASSWORD in line for line in lines) == 2
    with account(tmp_path, prefect_forks, **cluster.variables) as user:
        become_postgres(user)
        placed = [line.replace("4200", str(user.port)).replace("5432", str(cluster.port)) for line in lines]
        stop = placed.index("kill $(cat prefect-server.pid)")
        placed[stop] = "true"  # there is none yet
        placed = [line.replace("/data/lots", str(lots)) for line in placed]
        require_a_night(user, [*placed, NIGHT, WORKER])
        tables = cluster.ask("prefect", "SELECT count(*) FROM flow_run WHERE state_type = 'COMPLETED'")
        assert int(tables) >= 2, "the night and its lot are recorded in PostgreSQL"
        assert cluster.ask("prefect", "SELECT tableowner FROM pg_tables WHERE tablename = 'flow_run'").strip() == "musc"
    assert not (tmp_path / ".prefect" / "prefect.db").exists()
