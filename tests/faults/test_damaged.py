"""Stored files that vanish or are cut short: made again, with everything that is whole left as it is."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.killing import complete, results

FILES = {
    "chunk of features": "features/*/layer_00/c/0/0/0",
    "marker of features": "features/*/complete.json",
    "marker of a shard": "patch_scores/*/complete.json",
    "table of a listing": "lots/*/images.parquet",
    "table of a run": "runs/*/scores.parquet",
    "marker of a run": "runs/*/complete.json",
}


def delete(file: Path) -> None:
    file.unlink()


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [delete, truncate])
@pytest.mark.parametrize("pattern", FILES.values(), ids=list(FILES))
def test_damaged_file_is_made_again(
    pattern: str, damage: Callable[[Path], None], store: Path, score: Any, undisturbed: Any
) -> None:
    damaged = sorted(store.glob(pattern))[0]
    if not pattern.startswith(("lots", "runs")):  # a complete run needs neither features nor shards any more
        for run in store.glob("runs/*"):
            shutil.rmtree(run)
    (artefact,) = [path for path in complete(store) if damaged.is_relative_to(store / path)]
    content, before = damaged.read_bytes(), complete(store)
    damage(damaged)
    score(store)
    after = complete(store)
    made = {path for path in after if after[path] != before.get(path)}
    assert {path for path in made if not path.startswith("runs/") or artefact.startswith("runs/")} == {artefact}
    assert artefact.startswith("runs/") or damaged.read_bytes() == content  # the record of a run names its store
    assert results(store) == undisturbed


def test_artefacts_that_prefect_remembers_but_the_store_lost_are_made_again(
    store: Path, score: Any, undisturbed: Any
) -> None:
    before = complete(store)
    for folder in ("features", "runs"):
        (store / folder).rename(store.parent / folder)
    score(store)
    after = complete(store)
    kept = {path: time for path, time in before.items() if path.startswith(("lots", "patch_scores"))}
    assert kept.items() <= after.items()
    assert (set(after), results(store)) == (set(before), undisturbed)
