"""`musc tune`, and `--default-settings` of the commands that take a product's settings."""

import re
from pathlib import Path
from typing import Any

from planning.tuning.choices import Choice
from storage.products.accepted_settings import AcceptedSettings, add_accepted
from storage.products.tunings import Tuning, read_tuning
from storage.results.runs import Run
from storage.results.verdicts import DEFECTIVE, GOOD, Verdict, add_verdict
from storage.store import Store
from tests.walk.walk import BASE, Ran, Walk, draw, line

PRODUCT = "pin"
QUICK = {"networks": "texture", "sizes": "64", "engine": "inline"}


def judged(walk: Walk) -> Path:
    """A store with two nights of a product, all of whose photographs are judged."""
    store = walk.place / "tuned"
    for number in (1, 2):
        folder = walk.place / "pins" / f"2026-11-0{number}"
        if not folder.exists():
            first = 400 + 20 * number
            draw(folder, range(first, first + 12), bad=tuple(range(first, first + 6)))
            ran = walk.score(f"pins/2026-11-0{number}", output=str(store), category=PRODUCT)
            run = Run(Store(str(store)), f"runs/{ran.folder.name}")
            for image in run.scored_images():
                said = DEFECTIVE if int(Path(image.path).stem) < first + 6 else GOOD
                about = (run.path, image.image_id, image.path, image.sha256, PRODUCT, 0.1, "accepted")
                add_verdict(run.store, Verdict(*about, verdict=said, name="Ada"))
    return store


def tune(walk: Walk, **options: Any) -> Ran:
    given = {"output": str(judged(walk)), **QUICK, **options}
    words = [word for name, value in given.items() for word in typed(name, value)]
    return walk.musc("tune", PRODUCT, *words, anew=True)  # the same words, whatever was accepted meanwhile


def typed(name: str, value: Any) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    return [flag] if value is True else [flag, str(value)]


def tuning_of(ran: Ran, walk: Walk) -> Tuning:
    assert ran.code == 0, ran.output
    path = re.findall(r"All choices in \S*(tunings/\S+)/tuning\.json", ran.output)[-1]
    return read_tuning(Store(str(judged(walk))), path)


@line("tune", "category", "output", "networks", "sizes", "engine", "device", "memory", "block_images")
def choices(walk: Walk) -> None:
    found = tuning_of(tune(walk, sizes="64,96", device="cpu", memory="1GB", block_images=16), walk)
    assert (found.category, found.defective, found.good) == (PRODUCT, 12, 12)
    assert {row.text for row in found.choices} >= {"texture, 64 pixels", "texture, 96 pixels, image score contrast"}
    assert "too few verdicts about nut" in walk.musc("tune", "nut", "--output", str(judged(walk))).output


@line("tune", "lots")
def lots(walk: Walk) -> None:
    assert [len(tuning_of(tune(walk, lots=most), walk).lots) for most in (1, 2)] == [1, 2]


@line("tune", "store_aggregated")
def aggregated(walk: Walk) -> None:
    tune(walk, sizes="128", store_aggregated=True)
    assert list((judged(walk) / "aggregated").iterdir())


@line("tune", "dask_address", "workers")
def dask(walk: Walk) -> None:
    tune(walk, workers=2).refused("workers must go with the engine dask, got inline")
    tune(walk, dask_address="tcp://127.0.0.1:9").refused("dask_address must go with the engine dask, got inline")


@line("tune", "accept", "name", "default_settings")
def accept(walk: Walk) -> None:
    found = tuning_of(tune(walk), walk)
    ran = tune(walk, accept=True, name="Ada")
    assert ("accepted by Ada on" in ran.output) == bool(found.chosen)
    back = tune(walk, default_settings=True, name="Bob")
    assert re.search(r"From now on: the default settings of pin, by Bob on", back.output)


def accepted(walk: Walk, store: str) -> str:
    """A store in which somebody accepted settings for `cap`."""
    settings = Choice("texture", 96, (1,)).options
    place = str(walk.place / store)
    add_accepted(Store(place), AcceptedSettings("cap", settings, "Ada", "tunings/x", 5, 5))
    return place


@line("score", "default_settings")
def of_score(walk: Walk) -> None:
    given = {"output": accepted(walk, "own-score"), "backbone": None, "image_size": None, "category": "cap"}
    ran = walk.score("good", **given)
    assert ran.record["job"]["backbone"]["image_size"] == [96, 96]
    assert "accepted by Ada on" in ran.output
    assert "accepted by Ada" in walk.musc("show", str(ran.folder)).output
    plain = walk.score("good", **given, default_settings=True)
    assert plain.record["job"]["backbone"]["name"] == "efficientnet-lite0"
    assert "accepted by" not in plain.output


@line("plan", "default_settings")
def of_plan(walk: Walk) -> None:
    given = {"output": accepted(walk, "own-plan"), "backbone": None, "image_size": None, "category": "cap"}
    patches = [walk.plan(**given, **more)["patches per image"] for more in ({}, {"default_settings": True})]
    assert patches[0] != patches[1]


@line("nightly", "default_settings")
def of_nightly(walk: Walk) -> None:
    store = accepted(walk, "own-night")
    draw(walk.place / "own" / "cap" / "2026-11-02", range(440, 449))
    for more, told in (({}, True), ({"default_settings": True}, False)):
        plain = {**BASE, "output": store, "backbone": None, "image_size": None}
        ran = walk.command("nightly", str(walk.place / "own"), **plain, **more)
        assert ran.code == 0, ran.output
        assert ("Scored with the settings of cap" in ran.output) == told


@line("benchmark", "default_settings")
def of_benchmark(walk: Walk) -> None:
    data = walk.place / "own-data"
    draw(data / "cap" / "test" / "good", range(460, 466))
    draw(data / "cap" / "test" / "bent", range(470, 473), bad=tuple(range(470, 473)))
    given = {"output": accepted(walk, "own-benchmark"), "backbone": None, "image_size": None}
    assert "texture, maps and masks" in walk.command("benchmark", "folder", str(data), **given).output
    plain = walk.command("benchmark", "folder", str(data), **given, default_settings=True)
    assert "texture" not in plain.output, plain.output


@line("watch", "default_settings")
def of_watch(walk: Walk) -> None:
    draw(walk.place / "own-watch", range(480, 481))
    accepted(walk, "own-watch-store")
    given = {"good": str(walk.place / "good"), "category": "cap", "backbone": None, "image_size": None}
    assert "scored with the settings of cap: texture, 96" in walk.watch("own-watch", **given).output
    plain = walk.watch("own-watch", count=2, **given, default_settings=True)
    assert "scored with the settings" not in plain.output
