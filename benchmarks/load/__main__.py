"""What nights, pages and cleaning cost in stores of several sizes: files opened, folders listed, seconds.

    python -m benchmarks.load [--products 20] [--nights 7,15,30]

Counts tell whether anything grows faster than the store; seconds are those of this machine.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi.testclient import TestClient

from benchmarks.load.copies import NIGHT, PRODUCT, Place, grown, scored_once
from benchmarks.load.counted import Cost, cost_of
from flows.pipelines.flight_check import flight_check
from flows.pipelines.lot import score_folder
from flows.pipelines.night import score_night
from storage.artefacts import digest
from storage.leases import Lease
from storage.prune import delete, find_prunable
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from web.app import create_app

RUNS_PER_LEASE = 10
"""Of as many runs one was killed and has left its lease."""


def costs(place: Place, template: Place) -> dict[str, Cost]:
    """What is done with a store in its life, each with its cost; half of its runs are gone at the end."""
    store, folder = Store(str(place.store)), place.folder
    found = {"night, nothing new": cost_of(folder, lambda: night(place))}
    found |= pages(store, folder)
    found["flight check"] = cost_of(folder, lambda: flight_check(place.request, None))
    add_lot(place, template)
    found["night, one new lot"] = cost_of(folder, lambda: night(place))
    spoil(place, store)
    planned = find_prunable(store, older_than_days=0, now=tomorrow())
    found["musc clean"] = cost_of(folder, lambda: find_prunable(store, older_than_days=0, now=tomorrow()))
    found["musc clean --delete, besides"] = cost_of(folder, lambda: delete(store, planned))
    return found


def night(place: Place) -> None:
    """Score what is due."""
    runner = InlineRunner()
    score_night(place.request, runner, lambda one: score_folder(one, runner))


def pages(store: Store, folder: Path) -> dict[str, Cost]:
    """Pages of the site, each opened twice."""
    site = TestClient(create_app(store), base_url="http://localhost")
    run = min(path.name for path in (folder / "store" / "runs").iterdir())
    image = str(Run(store, f"runs/{run}").scores()["image_id"][0])
    addresses = {
        "overview": "/",
        "a lot's page": f"/lots/{run}",
        "a lot's earlier nights": f"/lots/{run}/nights.json?threshold=0.5",
        "an image's page": f"/lots/{run}/images/{image}",
    }

    def opened(address: str) -> Callable[[], object]:
        return lambda: site.get(address).raise_for_status()

    return {
        f"{name}, {when}": cost_of(folder, opened(address))
        for name, address in addresses.items()
        for when in ("first", "again")
    }


def add_lot(place: Place, template: Place) -> None:
    """A lot that is due, of photographs that are not known."""
    photographs = place.root / "part-001" / "2026-12-01"
    shutil.copytree(template.root / PRODUCT / str(NIGHT), photographs)
    for path in photographs.iterdir():
        path.write_bytes(path.read_bytes() + b"another")


def spoil(place: Place, store: Store) -> None:
    """Delete every other run, so that nothing uses what it was made from, and leave leases of killed runs."""
    runs = sorted((place.store / "runs").iterdir())
    for run in runs[::2]:
        shutil.rmtree(run)
    for number in range(len(runs) // RUNS_PER_LEASE):
        named = [f"features/{digest({'lease': number, 'block': block})}" for block in range(20)]
        Lease(store, f"killed-{number}").add(named)


def tomorrow() -> datetime:
    """When all of a store is a day old."""
    return datetime.now(UTC) + timedelta(days=1)


def table(sizes: dict[int, dict[str, Cost]]) -> str:
    """A row for each action, columns for each number of lots."""
    lines = [f"| | {' | '.join(f'{lots} lots' for lots in sizes)} |", f"|---|{'---|' * len(sizes)}"]
    for action in next(iter(sizes.values())):
        cells = (
            f"{cost.files:,} + {cost.folders:,}, {cost.seconds:.1f} s" for cost in (of[action] for of in sizes.values())
        )
        lines.append(f"| {action} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Make the stores one after another and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=20)
    parser.add_argument("--nights", default="7,15,30")
    given = parser.parse_args()
    sizes = {}
    with tempfile.TemporaryDirectory(prefix="musc-load-") as made:
        template = scored_once(Path(made, "template"))
        for nights in map(int, given.nights.split(",")):
            place = grown(Path(made, str(nights)), template, products=given.products, nights=nights)
            sizes[given.products * nights] = costs(place, template)
            shutil.rmtree(place.folder)
    print(table(sizes))


if __name__ == "__main__":
    main()
