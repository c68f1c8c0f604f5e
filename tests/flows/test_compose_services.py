"""The services of deploy/compose.yaml as processes side by side: their commands, order, settings and health checks.

Containers are left out, and so names of hosts, ports and paths are those of this machine.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from storage.datasets.synthetic.lot import draw_part, save_png
from tests.flows.launched import launchers
from tests.flows.pasted import free_port
from tests.flows.postgresql import Cluster, cluster
from tests.flows.real_server import CHECKOUT, RealServer, end, wait_for
from tests.forking import ForkServer

__all__ = ["cluster"]
pytestmark = pytest.mark.timeout(1200)

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((CHECKOUT / "deploy/compose.yaml").read_text("utf-8"))["services"]
SECRET = "PREFECT_SERVER_DATABASE_PASSWORD"
SMALL = {"settings": {"backbone": "texture", "image_size": 64, "layers": [0], "degrees": [1]}}


@dataclass
class Composed:
    """Services by name, each a process with the variables of its own; the database runs already."""

    here: Path
    stands_for: Mapping[str, str]
    """What the file says -> what it is on this machine."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def translated(self, text: str) -> str:
        for said, meant in self.stands_for.items():
            text = text.replace(said, meant)
        return text

    def environment(self, service: str) -> dict[str, str]:
        """Nothing of Prefect's but what the file, the image and this machine's free ports say."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MUSC_"))}
        given = {name: self.translated(str(value)) for name, value in SERVICES[service].get("environment", {}).items()}
        given = {name: "127.0.0.1" if value == "database" else value for name, value in given.items()}
        home = self.here / service
        image = {"PREFECT_HOME": str(home), "PREFECT_UI_STATIC_DIRECTORY": str(home / "ui"), "DO_NOT_TRACK": "1"}
        quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "OMP_NUM_THREADS": "1"}
        port = {"PREFECT_WORKER_WEBSERVER_PORT": self.stands_for["8080"]} if service == "worker" else {}
        secrets = {"MUSC_SECRETS": str(self.here / "secrets" if SERVICES[service].get("secrets") else home)}
        database = {"PGHOST": "127.0.0.1", "PGPORT": self.stands_for["5432"]}
        path = {"PATH": f"{self.here / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return own | image | quiet | port | secrets | database | path | given

    def start(self, service: str) -> None:
        """As the image would, by its entry point, once all it depends on is there."""
        for needed, condition in SERVICES[service].get("depends_on", {}).items():
            if condition == {"condition": "service_healthy"}:
                wait_for(f"health of {needed}", lambda needed=needed: self.is_healthy(needed) or None)
            else:
                assert condition == {"condition": "service_completed_successfully"}
                assert self.running[needed].wait(300) == 0, self.log(needed)
        (self.here / service).mkdir()
        command = [self.translated(word) for word in SERVICES[service]["command"]]
        with (self.here / f"{service}.log").open("wb") as log:
            self.running[service] = subprocess.Popen(
                ["sh", str(CHECKOUT / "deploy/entrypoint.sh"), *command],
                cwd=CHECKOUT,
                env=self.environment(service),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_healthy(self, service: str) -> bool:
        kind, *words = (self.translated(word) for word in SERVICES[service]["healthcheck"]["test"])
        assert kind == "CMD"
        environment = self.environment(service)
        asked = subprocess.run(words, env=environment, capture_output=True, check=False, timeout=60)
        return asked.returncode == 0

    def log(self, service: str) -> str:
        return (self.here / f"{service}.log").read_text("utf-8", "replace")


@pytest.fixture
def composed(cluster: Cluster, prefect_forks: ForkServer, tmp_path: Path) -> Iterator[Composed]:
    """All services started in the file's order; their commands are forks that have the libraries loaded."""
    cluster.ask("postgres", "CREATE ROLE musc LOGIN PASSWORD 'of-a-file'")
    cluster.ask("postgres", "CREATE DATABASE prefect OWNER musc")
    for number in range(7):
        picture, _ = draw_part("cast", "stain" if number > 4 else None, seed=5, number=number, size=64)
        save_png(picture, tmp_path / "lots" / "bolt" / "2026-11-20" / f"{number:03d}.png")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / SECRET).write_text("of-a-file\n")
    (tmp_path / "store").mkdir()
    (tmp_path / "bin").mkdir()
    places = {"/lots": str(tmp_path / "lots"), "/store": str(tmp_path / "store")}
    ports = {port: str(free_port()) for port in ("4200", "8420", "8080")}
    hosts = {"http://server": "http://127.0.0.1", "${MUSC_DEVICE:-auto}": "cpu"}
    hosts |= {"${MUSC_TIMEZONE:-Europe/Berlin}": "Europe/Berlin"}
    started = Composed(tmp_path, {**places, **ports, **hosts, "5432": str(cluster.port)})
    with ExitStack() as ends:
        ends.enter_context(launchers(tmp_path / "bin", prefect_forks))
        for service in SERVICES:
            if service != "database":
                started.start(service)
                ends.callback(end, started.running[service])
        yield started


def test_services_get_healthy_and_score_a_night(composed: Composed) -> None:
    lasting = [service for service in SERVICES if "healthcheck" in SERVICES[service]]
    for service in lasting:
        wait_for(f"health of {service}", lambda service=service: composed.is_healthy(service) or None)
    assert "deployment nightly-lots: created" in composed.log("deploy")

    address = composed.translated(SERVICES["worker"]["environment"]["PREFECT_API_URL"])
    server = RealServer(address, composed.environment("worker"), composed.here / "server.log")
    night = server.ended(server.trigger("nightly-lots/nightly-lots", **SMALL))
    assert night["state_type"] == "COMPLETED", night["state"]
    assert [run["name"] for run in server.below(night["id"])] == ["score bolt-2026-11-20"]
    assert list((composed.here / "store" / "runs").glob("bolt-2026-11-20-*/scores.parquet"))
    found = re.search(r"http://\S+:(\d+)(/\?token=\S+)", composed.log("site"))
    assert found is not None
    page = httpx.get(f"http://127.0.0.1:{found[1]}{found[2]}", follow_redirects=True, timeout=60)
    assert "bolt-2026-11-20" in page.text

    end(composed.running["site"])
    end(composed.running["server"])
    assert not composed.is_healthy("site")
    assert not composed.is_healthy("server")
