"""docs/back-up.md word for word: dump, wipe, restore, and the next night goes on; each half lost by itself."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports.run_record import read_record
from reports.verdicts.counts import scored_alike
from storage.datasets.synthetic.lot import draw_part, save_png
from storage.products.accepted_thresholds import AcceptedThreshold, add_threshold
from storage.results.runs import Run
from storage.results.verdict_reader import read_verdicts
from storage.store import Store
from tests.flows.chat import Chat, chat
from tests.flows.judged_lots import judge
from tests.flows.pasted import BACK_UP, Account, account, commands
from tests.flows.postgresql import Cluster, become_postgres, cluster
from tests.flows.real_server import POOL, end, wait_for
from tests.forking import ForkServer

__all__ = ["chat", "cluster"]
pytestmark = pytest.mark.timeout(1800)

NIGHT = "nightly-lots/nightly-lots"
SMALL = {"settings": {"backbone": "texture", "image_size": 64, "layers": [0], "degrees": [1]}}
SCHEDULE = "30 2 * * *"
THRESHOLD = 0.0123
WORKER = f"prefect worker start --pool {POOL} --type process --limit 1"


def draw_lot(root: Path, night: str, count: int = 7) -> None:
    for number in range(count):
        picture, _ = draw_part("cast", "stain" if number > 4 else None, seed=int(night[-2:]), number=number, size=64)
        save_png(picture, root / "bolt" / night / f"{'bad' if number > 4 else 'good'}-{number:03d}.png")


class Plant:
    """An account with the project, its lots, store and back-up, whose server keeps its state in PostgreSQL.

    Server, worker, runs and the commands of the document are forks; `test_operations_commands.py` has new interpreters.
    """

    def __init__(self, user: Account, cluster: Cluster, forks: ForkServer) -> None:
        self.user, self.server = user, replace(user.server, forks=forks)
        places = {name: str(user.home / name.rpartition("/")[2]) for name in ("/data/lots", "/mnt/store", "/backup")}
        self.lots, self.store = Path(places["/data/lots"]), Store(places["/mnt/store"])
        self.places = {"4200": str(user.port), "5432": str(cluster.port), **places}

    def place(self, lines: list[str]) -> list[str]:
        """Lines of the document for this plant."""
        placed = []
        for line in lines:
            for there, here in self.places.items():
                line = line.replace(there, here)
            placed.append(line)
        return placed

    def paste(self, lines: list[str]) -> str:
        return self.user.paste(self.place(lines))

    @contextmanager
    def working(self) -> Iterator[None]:
        """With a worker, which is killed in the end."""
        worker = self.server.start("worker", "-m", "prefect", *WORKER.split()[1:])
        try:
            yield
        finally:
            end(worker)

    def night(self) -> list[str]:
        """Names of the runs of a night that is asked for; none for lots that were finished before."""
        ended = self.server.ended(self.server.trigger(NIGHT))
        assert ended["state_type"] == "COMPLETED", ended["state"]
        return sorted(run["name"] for run in self.server.below(ended["id"]))

    def told(self) -> dict[str, Any]:
        """What the server has been told of the plant."""
        deployment = self.server.get(f"deployments/name/{NIGHT}")
        return {
            "variables": {one["name"]: one["value"] for one in self.server.post("variables/filter")},
            "deployments": {one["name"]: one["id"] for one in self.server.post("deployments/filter")},
            "schedule": [one["schedule"]["cron"] for one in deployment["schedules"]],
            "automations": {one["name"]: one["id"] for one in self.server.post("automations/filter")},
            "blocks": [one["name"] for one in self.server.post("block_documents/filter")],
        }

    def deploy(self, chat: Chat) -> str:
        """The line that tells a new server of the plant; it needs the server, and makes the block that it names."""
        wait_for("server", self.server.up)
        chat.save_as_block(self.user.address, "quality")
        options = f"--alert custom-webhook/quality --schedule '{SCHEDULE}' --options '{json.dumps(SMALL)}'"
        return f"musc deploy --root /data/lots --output /mnt/store {options}"

    def drop_database(self) -> None:
        self.user.end_server(signal.SIGKILL)
        self.user.paste(['su postgres -c "dropdb prefect"'])

    def wipe(self) -> None:
        """All but the project, the lots and the back-up: as on a new machine."""
        self.drop_database()
        self.user.paste(['su postgres -c "dropuser musc"'])
        shutil.rmtree(self.user.home / ".prefect")
        shutil.rmtree(self.store.url)

    def run(self, night: str) -> Run:
        (folder,) = Path(self.store.url, "runs").glob(f"bolt-{night}-*")
        return Run(self.store, f"runs/{folder.name}")


def server_lines() -> list[str]:
    """Make an empty database and start a server on it."""
    lines = commands("Server: SQLite or PostgreSQL")
    assert lines[-1].startswith("musc deploy ")
    return [line for line in lines[:-1] if not line.startswith("kill ")]


@pytest.fixture
def plant(cluster: Cluster, chat: Chat, prefect_forks: ForkServer, tmp_path: Path) -> Iterator[Plant]:
    """After a first night, somebody's verdicts and a threshold; backed up."""
    with account(tmp_path, prefect_forks, **cluster.variables) as user:
        become_postgres(user)
        plant = Plant(user, cluster, prefect_forks)
        plant.paste(server_lines())
        plant.paste([plant.deploy(chat)])
        draw_lot(plant.lots, "2026-11-20")
        with plant.working():
            assert plant.night() == ["score bolt-2026-11-20"]
        first = plant.run("2026-11-20")
        judge(first, 2)
        chosen = AcceptedThreshold("bolt", THRESHOLD, scored_alike(read_record(first)), first.path, "Ada")
        add_threshold(plant.store, chosen)
        plant.paste(commands("Back-up", page=BACK_UP))
        yield plant


def test_night_goes_on_after_dump_wipe_and_restore(plant: Plant, chat: Chat) -> None:
    told, first = plant.told(), plant.run("2026-11-20")
    scores, verdicts = first.scores(), read_verdicts(plant.store, first.path)
    assert told["variables"]["musc_schedule"] == SCHEDULE
    plant.wipe()
    *restore, start_worker = commands("Restore", page=BACK_UP)
    assert start_worker == WORKER
    plant.paste(restore)
    assert plant.told() == told
    assert first.scores().equals(scores)
    assert read_verdicts(plant.store, first.path).equals(verdicts)
    draw_lot(plant.lots, "2026-11-21")
    with plant.working():
        assert plant.night() == ["score bolt-2026-11-21"]
        second = plant.run("2026-11-21")
        assert read_record(second).job.decisions.threshold == THRESHOLD
        assert "compared with 1 earlier night<" in Path(second.report() or "").read_text("utf-8")
        failed = plant.server.ended(plant.server.trigger(NIGHT, root=str(plant.lots / "unmounted")))
        assert failed["state_type"] == "FAILED"
        wait_for("message through the restored block", lambda: chat.about("unmounted"))

    with pytest.raises(
        AssertionError, match="already exists"
    ):  # what the page says of a server that was started before
        plant.paste([line for line in restore if "pg_restore" in line])
    plant.drop_database()
    plant.paste([line for line in server_lines() if "CREATE ROLE" not in line])
    plant.paste([plant.deploy(chat)])
    with plant.working():
        assert plant.night() == [], "the store is the truth"

        shutil.rmtree(plant.store.url)
        plant.paste([line for line in restore if "tar " in line])
        assert plant.night() == ["score bolt-2026-11-21"], "which is younger than the copy"
    assert read_record(plant.run("2026-11-21")).job.decisions.threshold == THRESHOLD


KILLED_WRITER = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode = wal")
database.execute("CREATE TABLE IF NOT EXISTS run (number INTEGER)")
database.execute("INSERT INTO run VALUES (?)", (int(sys.argv[2]),))
os._exit(0)
"""
"""What it wrote is still in the log beside the database, as after `kill -9` of a server."""


def test_sqlite_is_copied_whole_and_restored_without_what_came_later(tmp_path: Path) -> None:
    if shutil.which("sqlite3") is None:
        pytest.skip("sqlite3 is not installed (Debian: apt-get install sqlite3)")
    with account(tmp_path) as user:
        database = user.home / ".prefect" / "prefect.db"
        database.parent.mkdir()
        for number, heading in enumerate(("Back-up", "Restore")):
            subprocess.run([sys.executable, "-c", KILLED_WRITER, str(database), str(number)], check=True, timeout=60)
            assert database.with_name("prefect.db-wal").stat().st_size
            user.paste([line.replace("/backup", str(user.home)) for line in commands(heading, 1, BACK_UP)])
        with closing(sqlite3.connect(database)) as restored:
            assert restored.execute("SELECT number FROM run").fetchall() == [(0,)]
