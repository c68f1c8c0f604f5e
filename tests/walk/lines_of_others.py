"""The commands about what is there already, and the options that every command has."""

import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from functools import partial
from pathlib import Path

import pytest

from planning.place import Place
from tests.walk.lines_of_score import judge
from tests.walk.walk import Ran, Walk, line, options_of_commands, words_of

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "absent"


def words(command: str, walk: Walk) -> list[str]:
    """A line of a command that ends soon."""
    absent = str(walk.place / NOWHERE)
    return {"benchmark": [command, "folder", absent], "demo": [command, "--seed", "x"]}.get(command, [command, absent])


def verbose(walk: Walk, command: str) -> None:
    for room in ("flows", "tasks", "storage"):
        logging.getLogger(room).setLevel(logging.WARNING)
    walk.musc(*words(command, walk), "-v")
    if command != "demo":  # which ends before, at a seed that is none
        assert logging.getLogger("tasks").level == logging.INFO


def in_full(walk: Walk, command: str) -> None:
    short, full = walk.musc(command, "--help"), walk.musc(command, "--help-all")
    assert full.code == short.code == 0
    arguments = {"folder", "dataset", *(["category"] if command == "tune" else [])}
    for _, name in [one for one in options_of_commands() if one[0] == command and one[1] not in arguments]:
        assert f"--{name.replace('_', '-')}" in full.output or name == "root", name
    assert len(full.output) > len(short.output)


for _command, _name in options_of_commands():
    if _name == "verbose":
        line(_command, _name)(partial(verbose, command=_command))
    if _name == "help_all":
        line(_command, _name)(partial(in_full, command=_command))


@line("show", "run")
def show(walk: Walk) -> None:
    ran = walk.musc("show", str(walk.score().folder))
    assert re.findall(r"│ +\d+ │ \S+\.png", ran.output)
    walk.musc("show", str(walk.place)).refused("run")
    assert walk.musc("show", str(walk.score().folder / "report" / "report.html")).output == ran.output


@line("reproduce", "run", "folder", "weights")
def reproduce(walk: Walk) -> None:
    first = walk.score("good", output=str(walk.place / "again"))
    (walk.place / "moved").symlink_to(walk.place / "good")
    said = walk.musc("reproduce", str(first.folder), "--folder", str(walk.place / "moved"))
    assert "Identical: all scores of 9 images" in said.output, said.output
    other = walk.musc("reproduce", str(first.folder), "--weights", "openai")
    assert other.code != 0
    assert "weights" in other.output


@line("clean", "store", "older_than", "delete")
def clean(walk: Walk) -> None:
    store = walk.place / "full"
    walk.score("good", output=str(store))
    (run,) = (store / "runs").iterdir()
    shutil.rmtree(run)
    assert "Nothing to free" in walk.musc("clean", str(store), "--older-than", "1").output
    said = walk.musc("clean", str(store), "--older-than", "0")
    assert "Would free" in said.output, said.output
    before = sum(1 for _ in store.rglob("*"))
    assert "Freed" in walk.musc("clean", str(store), "--older-than", "0", "--delete").output
    assert sum(1 for _ in store.rglob("*")) < before


@line("automations", "silence", "alert", "overdue")
def automations(walk: Walk) -> None:
    # In a process of its own, which has no server of other tests; against one: tests/flows/test_night_alerts.py
    given = ["--silence", "120", "--alert", "slack-webhook/quality", "--overdue", "30"]
    done = subprocess.run(
        [sys.executable, "-m", "cli", "automations", *given],
        env={name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"},
        capture_output=True,
        text=True,
        check=False,
    )
    Ran(done.returncode, done.stderr).refused("PREFECT_API_URL must be set to a running server's address")


@line("deploy", *Place.model_fields, "wait")
def deploy(walk: Walk) -> None:
    """Against a server: tests/flows/test_deploy.py, which also sees that each option has its variable."""
    assert set(Place().variables) >= {f"musc_{name}" for name in Place.model_fields}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
        given = {"root": "/data/lots", "output": "/data/out", "datasets": "d", "schedule": "1 2 * * *", "wait": "0.1"}
        given |= {"check_schedule": "1 3 * * *", "timezone": "UTC", "device": "cpu", "engine": "dask", "pool": "own"}
        given |= {"options": "{}", "alert": "slack-webhook/quality", "overdue": "30"}
        done = walk.musc("deploy", *words_of(given))
    assert done.code == 1
    assert "Prefect's API must answer, got no answer from http://127.0.0.1:9/api" in done.output


@line("verdicts export", "run", "kind", "output", "image_prefix")
def verdicts(walk: Walk) -> None:
    ran = walk.score(output=str(walk.place / "judged"), category="cap", threshold=0.3)
    judge(walk, "judged", "3.png")
    for kind, name in (
        ("csv", "v.csv"),
        ("coco", "v.json"),
        ("labelstudio", "l.json"),
        ("cvat", "v.xml"),
        ("yolo", "v.zip"),
        ("mvtec", "labelled"),
    ):
        target = walk.place / name
        said = walk.musc("verdicts", "export", str(ran.folder), "--format", kind, "--output", str(target))
        assert said.code == 0, said.output
        assert target.exists()
    given = ["--format", "labelstudio", "--output", str(walk.place / "p.json"), "--image-prefix", "https://host/"]
    assert walk.musc("verdicts", "export", str(ran.folder), *given).code == 0
    assert "https://host/3.png" in (walk.place / "p.json").read_text()
    assert "3.png" in (walk.place / "v.csv").read_text(encoding="utf-8-sig")
    assert json.loads((walk.place / "v.json").read_text())["images"]
    assert list((walk.place / "labelled").rglob("*.png"))


@line("verdicts kinds", "store", "product", "table", "name")
def kinds(walk: Walk) -> None:
    table, place = walk.place / "kinds.csv", ["verdicts", "kinds", str(walk.place / "listed"), "cap"]
    table.write_text("name,key,description\nscratch,1,a line\nDelle,2,\n", encoding="utf-8-sig")
    assert "name must say who saves the list" in walk.musc(*place, "--table", str(table)).output
    assert walk.musc(*place, "--table", str(table), "--name", "Ada").output == "kinds of cap: 1 scratch, 2 Delle\n"
    assert '"scratch","1","#808080","a line"' in walk.musc(*place).output
    assert "cup has no kinds in" in walk.musc(*place[:-1], "cup").output
    wrong = ["verdicts", "kinds", str(walk.place / "listed"), "../cap"]
    assert "product must be a plain name" in walk.musc(*wrong, "--table", str(table), "--name", "Ada").output


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def serving(walk: Walk, *given: str) -> tuple[str, str]:
    """Console and front page of the site."""
    walk.score()
    command = [sys.executable, "-m", "cli", "web", str(walk.place / "store"), *given]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            said = process.stdout.readline()
            address = re.findall(r"http://\S+", said)[0]
            end, page = time.monotonic() + 60, ""
            while not page and time.monotonic() < end:
                try:
                    page = urllib.request.urlopen(address, timeout=5).read().decode()
                except OSError:
                    time.sleep(0.2)
            return said, page
        finally:
            process.terminate()


@line("web", "store", "host", "port", "root_path", "address", "language")
def web(walk: Walk) -> None:
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    port, given = str(free_port()), ("--root-path", "/review", "--language", "de")
    said, page = serving(walk, "--host", "127.0.0.1", "--port", port, *given)
    assert f"http://127.0.0.1:{port}" in said
    assert f"{walk.score().folder.name}" in page
    assert "/review/" in page
    assert '<html lang="de">' in page
    walk.musc("web", str(walk.place / NOWHERE)).refused("store")
    walk.musc("web", str(walk.place / "store"), "--port", "99999").refused("port")
    walk.musc("web", str(walk.place / "store"), "--address", "factory").refused("address")


@line("demo", "output", "seed")
def demo(walk: Walk) -> None:
    import cli.commands.demo

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli.commands.demo, "GOOD", 8)
        patch.setattr(cli.commands.demo, "DEFECTIVE", 3)
        ran: Ran = walk.musc("demo", "--output", str(walk.place / "demo"), "--seed", "7")
    assert ran.code == 0, ran.output
    assert "Drew 11 images" in ran.output
    assert "image_auroc" in ran.output
    assert (walk.place / "demo" / "lot-7.jpg").is_file()
