"""`--smallest-flaw` of every command: what it chooses, that it is said and recorded, and what is refused."""

from functools import partial
from pathlib import Path
from typing import Any

from tests.walk.lines_of_lots import benchmark, check, night, records
from tests.walk.walk import Ran, Walk, line

FLAW: dict[str, Any] = {"smallest_flaw": 6, "image_size": None}
"""Pixels of photographs of 96 x 64, which the filter bank usually sees at 256."""
SAID = (
    "for flaws of 6 pixels, photographs of 96 x 64 are seen whole at 320 pixels, where such a flaw covers 2.5 patches"
)


@line("score", "smallest_flaw")
def score(walk: Walk) -> None:
    ran = walk.score("good", **FLAW)
    assert f"hint: {SAID}" in ran.output
    assert ran.record["job"]["backbone"]["image_size"] == [320, 320]
    assert ran.record["job"]["flaw_size"]["text"].startswith(SAID)
    assert f"Size chosen: {SAID}" in " ".join(walk.musc("show", str(ran.folder)).output.split())
    for name in ("README.txt", "report/report.html"):
        assert SAID in (ran.folder / name).read_text("utf-8"), name
    assert walk.score("good", image_size=320).folder == ran.folder, "the run of these settings, made once"
    walk.score("good", smallest_flaw=6).refused("image_size must go without smallest_flaw, which chooses it, got 64")
    walk.score("good", **{**FLAW, "smallest_flaw": 1}).refused("smallest_flaw must be at least 4 pixels", "got 1")
    walk.score("good", **{**FLAW, "smallest_flaw": 64}).refused("smallest_flaw must be smaller than the photographs")


@line("plan", "smallest_flaw")
def plan(walk: Walk) -> None:
    planned = walk.command("plan", str(walk.place / "good"), **FLAW)
    assert f"hint: {SAID}" in planned.output
    assert "320 x 320 pixels" in planned.output


def of_lots(walk: Walk, command: str) -> None:
    ran: Ran
    place: Path
    ran, place = {"nightly": night, "check": check, "benchmark": benchmark}[command](walk, "flaw", **FLAW)
    jobs = records(ran, place)
    assert jobs
    assert all(job["backbone"]["image_size"] == [320, 320] for job in jobs)
    if command == "nightly":
        assert SAID in ran.output


for _command in ("nightly", "check", "benchmark"):
    line(_command, "smallest_flaw")(partial(of_lots, command=_command))


@line("watch", "smallest_flaw")
def watch(walk: Walk) -> None:
    (walk.place / "flawed").mkdir()
    given = {**FLAW, "output": str(walk.place / "flawed-store")}
    walk.watch("flawed", count=0, **given).refused("watch must have references")
    ran = walk.watch("flawed", count=0, good=str(walk.place / "good"), **given)
    assert ran.code == 0, ran.output
    assert f"hint: {SAID}" in ran.output
