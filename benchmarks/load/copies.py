"""A store with hundreds of nights in seconds: one lot is scored, and copied with other names and keys."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from flows.pipelines.lot import score_folder
from flows.pipelines.night import score_night
from planning.lot_job import LotJob
from planning.nights.due_lots import check_lot, night_job, remember
from planning.nights.outcomes import LotOutcome, Status
from planning.requests import NightRequest, request_of
from storage.artefacts import MARKER, digest
from storage.datasets.synthetic.lot import draw_part, save_png
from storage.images.lot_tree import FoundLot
from storage.store import Store, begin_results
from tasks.runtime.runner import InlineRunner

PRODUCT, NIGHT = "part-000", date(2026, 1, 1)
"""Of the lot that is scored."""
IMAGES, PIXELS = 8, 64
KEYED = ("features", "lots", "groups", "patch_scores")
"""Folders of artefacts that are named by their keys."""
CHANGED = (".json", ".txt")
"""Files in which names and keys stand."""
KEY = re.compile(r"\b[0-9a-f]{32}\b")


@dataclass(frozen=True)
class Place:
    """Photographs and results."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "lots"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def request(self) -> NightRequest:
        """The night that is run here."""
        options = {"backbone": "texture", "image_size": PIXELS}
        return request_of(NightRequest, {"root": str(self.root), "output": str(self.store), **options})


def scored_once(folder: Path) -> Place:
    """One lot, scored as a night does."""
    place = Place(folder)
    photographs = place.root / PRODUCT / str(NIGHT)
    photographs.mkdir(parents=True)
    for number in range(IMAGES):
        save_png(draw_part("cast", None, seed=1, number=number, size=PIXELS)[0], photographs / f"{number:03d}.png")
    runner = InlineRunner()
    score_night(place.request, runner, lambda one: score_folder(one, runner))
    return place


def grown(folder: Path, template: Place, *, products: int, nights: int) -> Place:
    """As many nights of as many products as asked for, none of them due.

    Args:
        folder: which is made.
        template: the one that is copied.
    """
    place = Place(folder)
    place.root.mkdir(parents=True)
    begin_results(Store(str(place.store)))
    job = night_job(place.request)
    for product in range(products):
        for night in range(nights):
            copy_lot(template, place, job, f"part-{product + 1:03d}", NIGHT + timedelta(days=night + 1))
    return place


def copy_lot(template: Place, place: Place, job: LotJob, product: str, night: date) -> None:
    """Photographs, artefacts, run, profile and fingerprint of one lot."""
    photographs = place.root / product / str(night)
    shutil.copytree(template.root / PRODUCT / str(NIGHT), photographs)

    def renamed(text: str) -> str:
        """A name or a file's text with the names, dates and keys of the copy."""
        text = text.replace(str(template.folder), str(place.folder)).replace(PRODUCT, product)
        text = text.replace(str(NIGHT), str(night)).replace(f"{NIGHT:%Y%m%d}-", f"{night:%Y%m%d}-")
        return KEY.sub(lambda key: digest({"copy of": key[0], "in": f"{product} {night}"}), text)

    for kind in KEYED:
        for artefact in (template.store / kind).iterdir():
            shutil.copytree(artefact, place.store / kind / renamed(artefact.name))
    (run,) = (template.store / "runs").iterdir()
    (series,) = (template.store / "profiles").iterdir()
    (profile,) = series.iterdir()
    copied = place.store / "runs" / renamed(run.name)
    copy_renamed(run, copied, renamed)
    own_series = digest({"series": product})
    copy_renamed(profile, place.store / "profiles" / own_series / renamed(profile.name), renamed)
    found = FoundLot(product, str(photographs), str(night), night)
    outcome = LotOutcome(
        found, Status.SCORED, IMAGES, f"runs/{copied.name}", page=f"runs/{copied.name}/report/report.html"
    )
    lot = place.request.lot(found.folder, found.lot, found.category)
    remember(job, check_lot(found, job, lot.files).key, outcome, lot.files)


def copy_renamed(source: Path, target: Path, renamed: Callable[[str], str]) -> None:
    """Copy an artefact, and those in it, with other names in its texts; markers get the new sizes."""
    shutil.copytree(source, target)
    for path in target.rglob("*"):
        if path.suffix in CHANGED and path.name != MARKER:
            path.write_text(renamed(path.read_text("utf-8")), "utf-8")
    for marker in sorted(target.rglob(MARKER), key=lambda path: -len(path.parts)):
        content = json.loads(marker.read_text("utf-8"))
        content["files"] = {name: (marker.parent / name).stat().st_size for name in content["files"]}
        marker.write_text(json.dumps(content, sort_keys=True), "utf-8")
