"""`musc nightly`, `check`, `benchmark`: their own options, and that those of `musc score` reach the record."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.pipelines import flight_check
from flows.pipelines.lot import score_folder
from planning.requests import LotRequest
from planning.task_results import ScoredLot
from tasks.runtime.runner import Runner
from tests.walk.walk import Ran, Walk, draw, line, options_of_commands

RECORDED: dict[str, tuple[Any, str, Any]] = {
    "image_size": (["48", "32"], "settings", [[32, 32], [48, 48]]),
    "layers": ("0,1", "settings", [0, 1]),
    "degrees": (["1", "3"], "settings", [1, 3]),
    "interval": ("0,0.5", "settings", [0.0, 0.5]),
    "match_radius": (3, "settings", 3),
    "image_score": ("contrast", "settings", "contrast"),
    "references": (4, "settings", 4),
    "seed": (5, "settings", 5),
    "rscin_windows": ("1,2", "settings", [1, 2]),
    "precision": ("float32", "settings", "float32"),
    "false_alarms": (2, "decisions", 2.0),
    "suspects": (0.2, "decisions", 0.2),
    "threshold": (0.3, "decisions", 0.3),
    "review_budget": (1, "decisions", 1),
    "device": ("cpu", "allocation", "cpu"),
    "memory": ("1GB", "allocation", 10**9),
    "block_images": (16, "allocation", 16),
    "store_aggregated": (True, "allocation", True),
}
"""Options that go together: what is typed, and where a run's record has what value. What each does: `musc score`."""
APART: dict[str, dict[str, Any]] = {
    "tile": {"tile": 64, "image_size": None},
    "overlap": {"tile": 64, "overlap": 32, "image_size": None},
    "tile_references": {"tile": 64, "tile_references": "all", "image_size": None},
    "keep_aspect": {"keep_aspect": True},
    "exclude_groups": {"exclude_groups": True},
}
"""Options that go without some of the others: all that is typed."""
REFUSED: dict[str, tuple[Any, str]] = {
    "quick_gelu": (True, "quick_gelu must be"),
    "position_antialias": (True, "position_antialias must be"),
    "weights": ("absent.pt", "weights"),
    "dask_address": ("tcp://127.0.0.1:9", "dask_address must go with the engine dask, got inline"),
    "workers": (2, "workers must go with the engine dask, got inline"),
}
"""Options that the filter bank, or a run in this process, refuses by name."""


def records(ran: Ran, store: Path) -> list[dict[str, Any]]:
    """The jobs in the records of all runs of a store."""
    assert ran.code == 0, ran.output
    return [json.loads(path.read_text())["job"] for path in sorted(store.glob("runs/*/run.json"))]


def night(walk: Walk, store: str, **options: Any) -> tuple[Ran, Path]:
    root = walk.place / "root"
    if not root.exists():
        for product, day in (
            ("bolt", "2026-11-01"),
            ("bolt", "2026-11-02"),
            ("bolt", "2026-11-03"),
            ("nut", "2026-11-02"),
        ):
            draw(root / product / day, range(int(day[-2:]) * 10, int(day[-2:]) * 10 + 9))
    place = walk.place / f"night-{store}"
    chosen = {"category": "bolt", "since": "2026-11-02", "output": str(place), **options}
    return walk.command("nightly", str(root), **chosen), place


def check(walk: Walk, store: str, **options: Any) -> tuple[Ran, Path]:
    """A flight check, and what its four photographs left before they were removed."""
    root, place = walk.place / "checked", walk.place / f"check-{store}"
    if not root.exists():
        draw(root / "bolt" / str(date.today()), range(60, 66))

    def kept(request: LotRequest, runner: Runner) -> ScoredLot:
        done = score_folder(request, runner)
        shutil.copytree(request.output, place)
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flight_check, "score_folder", kept)
        chosen = {"category": "bolt", "output": str(walk.place / "unused"), **options}
        return walk.command("check", str(root), **chosen), place


def benchmark(walk: Walk, store: str, **options: Any) -> tuple[Ran, Path]:
    root = walk.place / "data"
    if not root.exists():
        for number, category in enumerate(("caps", "lids")):
            draw(root / category / "test" / "good", range(100 * number + 40, 100 * number + 46))
            draw(root / category / "test" / "bent", range(100 * number + 50, 100 * number + 53), bad=tuple(range(300)))
    place = walk.place / f"benchmark-{store}"
    chosen = {"categories": "caps", "output": str(place), **options}
    return walk.command("benchmark", "folder", str(root), **chosen), place


def line_of(command: str, name: str, run: Callable[..., tuple[Ran, Path]]) -> Callable[[Walk], None]:
    """What is looked at for an option that another command shares with `musc score`."""

    def recorded(walk: Walk) -> None:
        taken = {one for other, one in options_of_commands() if other == command}
        jobs = records(*run(walk, "all", **{one: typed for one, (typed, _, _) in RECORDED.items() if one in taken}))
        _, where, value = RECORDED[name]
        assert jobs
        assert all(job[where][name.replace("memory", "memory_bytes")] == value for job in jobs)

    def apart(walk: Walk) -> None:
        jobs = records(*run(walk, name, **APART[name]))
        assert jobs
        assert all(job["settings"][name] == APART[name][name] for job in jobs)

    def refused(walk: Walk) -> None:
        if command == "check" and "engine" not in REFUSED[name][1]:  # a line of its table, as all that is wrong
            ran, _ = run(walk, "refused", **{name: REFUSED[name][0]})
            assert ran.code == 1
            assert REFUSED[name][1] in ran.output
            return
        ran, _ = run(walk, "refused", **{name: REFUSED[name][0]})
        ran.refused(REFUSED[name][1])

    return recorded if name in RECORDED else apart if name in APART else refused


for _command, _run in (("nightly", night), ("check", check), ("benchmark", benchmark)):
    for _other, _name in options_of_commands():
        if _other == _command and _name in {*RECORDED, *APART, *REFUSED}:
            line(_command, _name)(line_of(_command, _name, _run))


@line("nightly", "root", "category", "since", "output", "backbone", "engine")
def which_lots(walk: Walk) -> None:
    ran, place = night(walk, "plain")
    assert sorted(job["lot"] for job in records(ran, place)) == ["bolt-2026-11-02", "bolt-2026-11-03"]
    assert {job["backbone"]["name"] for job in records(ran, place)} == {"texture"}
    assert "runs in this process" in ran.output
    everything, place = night(walk, "every", category=None, since=None)
    assert len(records(everything, place)) == 4
    night(walk, "plain", since="yesterday")[0].refused("since must be a day written as YYYY-MM-DD, got 'yesterday'")
    walk.command("nightly", str(walk.place / "absent")).refused("root must be an existing folder")


@line("check", "root", "category", "since", "output", "backbone", "engine", "default_settings", "image_prefix")
@line("check", "maps", "export", "good_from_verdicts", "ignore_drawn", "references_from", "language")
@line("check", "pixel_size")
def of_check(walk: Walk) -> None:
    given = {"good_from_verdicts": True, "ignore_drawn": True, "references_from": "runs/any", "default_settings": True}
    made = {"maps": ["png", "tiff"], "export": "csv,labelstudio", "image_prefix": "/data/local-files/?d=lots/"}
    ran, place = check(walk, "plain", **given, **made, language="de", pixel_size=0.5)
    (page,) = place.rglob("report/*.html")
    assert '<html lang="de">' in page.read_text("utf-8")
    (job,) = records(ran, place)
    assert job["backbone"]["name"] == "texture"
    assert len(list(place.rglob("*.tiff"))) == 4
    assert list(place.rglob("labelstudio.json"))
    assert "1 lot that is due" in ran.output
    assert "0 lots that are due" in check(walk, "since", since="2999-01-01")[0].output
    assert not (walk.place / "unused").exists(), "nothing is left in the store"
    assert "3 of 10 checks fail: root, disk, photographs" in check(walk, "other", category="nut")[0].output
    assert "runs in this process" in ran.output
    absent = walk.command("check", str(walk.place / "absent"))
    assert absent.code == 1
    assert "root must be an existing folder" in absent.output


@line("nightly", "maps", "export", "image_prefix")
def files_of_a_night(walk: Walk) -> None:
    given = {"maps": ["png", "tiff"], "export": "csv,coco,labelstudio", "image_prefix": "/data/local-files/?d=lots/"}
    ran, place = night(walk, "files", **given, threshold=0.01)
    assert ran.code == 0, ran.output
    for run in place.glob("runs/*"):
        made = {path.name for path in run.rglob("*.*")}
        assert {"scores.csv", "coco.json", "labelstudio.json"} < made
        assert any(name.endswith(".overlay.png") for name in made)
        assert any(name.endswith(".mask.png") for name in made)
        assert any(name.endswith(".tiff") for name in made)
        lot = json.loads((run / "run.json").read_text())["job"]["lot"].replace("-", "/", 1)
        tasks = json.loads((run / "export-labelstudio" / "labelstudio.json").read_text())
        assert all(task["data"]["image"].startswith(f"/data/local-files/?d=lots/{lot}/") for task in tasks)


@line("nightly", "language")
def language_of_a_night(walk: Walk) -> None:
    for code, tag in (("de", "de"), ("zh", "zh-Hans")):
        ran, place = night(walk, "languages", language=code)
        assert ran.code == 0, ran.output
        pages = list(place.glob("runs/*/report/*.html"))
        assert pages
        assert all(f'<html lang="{tag}">' in page.read_text("utf-8") for page in pages), "finished nights too"


@line("nightly", "pixel_size")
def pixel_size_of_a_night(walk: Walk) -> None:
    for size in (None, 0.5):
        ran, place = night(walk, "sizes", threshold=0.01, **({"pixel_size": size} if size else {}))
        assert ran.code == 0, ran.output
        tables = [pd.read_parquet(path) for path in place.glob("runs/*/causes/causes.parquet")]
        assert tables
        for table in tables:
            known = table[table["width"].notna()]
            assert len(known)
            if size:
                assert (known["width_mm"] == known["width"] * size).all(), "of finished nights too"
            else:
                assert known["width_mm"].isna().all()


@line("nightly", "good_from_verdicts", "ignore_drawn", "references_from")
def earlier_nights(walk: Walk) -> None:
    from tests.walk.lines_of_score import judge

    first = walk.score(output=str(walk.place / "night-judged"), category="bolt")
    judge(walk, "night-judged", "3.png", "bolt")
    given = {"good_from_verdicts": True, "ignore_drawn": True, "references_from": f"runs/{first.folder.name}"}
    _, place = night(walk, "judged", **given)
    for run in place.glob("runs/bolt-2026*"):
        record = json.loads((run / "run.json").read_text())
        assert record["job"]["judged_good"]
        assert record["job"]["region"]["ignored"]
        assert record["earlier_references"]
    assert list(place.glob("runs/bolt-2026*"))


@line("benchmark", "dataset", "root", "categories", "backbone", "output", "engine")
def which_categories(walk: Walk) -> None:
    ran, place = benchmark(walk, "two", categories=None, backbone=["texture", "efficientnet-lite0"])
    assert ran.code == 0, ran.output
    (path,) = place.glob("benchmarks/*/metrics.parquet")
    table = pd.read_parquet(path)
    assert set(table["backbone"]) == {"texture", "efficientnet-lite0"}
    assert set(table["category"]) == {"caps", "lids", "mean"}
    assert set(table["dataset"]) == {"folder"}
    assert {job["category"] for job in records(*benchmark(walk, "one"))} == {"caps"}
    walk.command("benchmark", "mvtec", str(walk.place / "data")).refused("dataset must be one of mvtec_ad")
    walk.command("benchmark", "folder", str(walk.place / "absent")).refused("root")


@line("benchmark", "subsets", "roi")
def parts_of_a_benchmark(walk: Walk) -> None:
    assert [job["subsets"] for job in records(*benchmark(walk, "subsets", subsets=2))] == [2]
    ran, place = benchmark(walk, "roi", roi=str(walk.place / "mask.png"))
    assert [job["region"]["each"] for job in records(ran, place)] == [False]
    benchmark(walk, "roi", roi=str(walk.place / "mask.png"), categories=None)[0].refused("roi must go with one product")
