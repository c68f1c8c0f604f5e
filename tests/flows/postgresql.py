"""A PostgreSQL of the tests' own, and a stand-in for root's way to it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flows.pasted import Account, free_port


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL cluster in a temporary folder, on loopback."""

    port: int
    folder: Path
    prefix: tuple[str, ...]
    """Runs a program as the cluster's owner."""

    @property
    def variables(self) -> dict[str, str]:
        """Lead PostgreSQL's programs to it."""
        return {"PGHOST": str(self.folder), "PGPORT": str(self.port)}

    def ask(self, database: str, query: str) -> str:
        words = ["psql", "-h", str(self.folder), "-p", str(self.port), "-U", "postgres", "-tAc", query, database]
        return subprocess.run([*self.prefix, *words], capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A new cluster, ended with the test; PostgreSQL refuses to run as root, so root lends it to `postgres`."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if not folders or shutil.which("psql") is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    as_root = os.getuid() == 0
    prefix = ("runuser", "-u", "postgres", "--") if as_root else ()
    folder = Path(tempfile.mkdtemp(prefix="musc-postgresql-"))
    if as_root:
        shutil.chown(folder, "postgres")
    port, bin_folder, data = free_port(), folders[-1], folder / "data"
    control = [*prefix, str(bin_folder / "pg_ctl"), "-D", str(data)]
    quick = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"  # it need not outlive the machine
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {quick}"
    make = [
        *prefix,
        str(bin_folder / "initdb"),
        "-U",
        "postgres",
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
        "--no-sync",
    ]
    start = [*control, "-w", "-l", str(folder / "log"), "-o", options, "start"]
    try:
        subprocess.run([*make, "-D", str(data)], check=True, capture_output=True, timeout=120, cwd="/")
        subprocess.run(start, check=True, timeout=120, cwd="/", stdout=subprocess.DEVNULL)
        try:
            yield Cluster(port, folder, prefix)
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, timeout=120, cwd="/")
    finally:
        shutil.rmtree(folder)


def become_postgres(user: Account) -> None:
    """`su postgres -c` is played by a script, since the cluster is not the machine's own."""
    become = user.home / "bin" / "su"
    become.write_text('#!/bin/sh\n[ "$1 $2" = "postgres -c" ] || exit 9\nPGUSER=postgres exec sh -c "$3"\n')
    become.chmod(0o755)
