"""`musc benchmark` killed half-way: it goes on from there and ends with the same table."""

from pathlib import Path
from typing import Any

import pytest

from storage.datasets.synthetic.lot import write_lot
from tests.flat import benchmark
from tests.forking import ForkServer
from tests.killing import Command, complete

METHOD: dict[str, Any] = {"backbone": ("texture",), "image_size": 64, "layers": (0, 1), "degrees": (1,)}
WORDS = ("--backbone", "texture", "--image-size", "64", "--layers", "0,1", "--degrees", "1", "--block-images", "8")


@pytest.fixture(scope="module")
def categories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of twenty images, each in three blocks."""
    root = tmp_path_factory.mktemp("categories")
    for seed, category in enumerate(("brushed", "cast")):
        write_lot(root / category, part=category, good_count=15, defective_count=5, size=64, seed=seed)
    return root


def metrics(output: Path) -> bytes:
    (table,) = output.glob("benchmarks/*/metrics.parquet")
    return table.read_bytes()


def test_killed_benchmark_goes_on(
    categories: Path, prefect_server: str, prefect_forks: ForkServer, tmp_path: Path
) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    command = Command(("benchmark", "folder", str(categories), *WORDS), prefect_server, prefect_forks)
    command.kill_at("tasks.extract.write_features", 4, killed)
    before = complete(killed)
    assert len(complete(killed, "metrics")) == len(complete(killed, "runs")) == 1, "the first category is measured"
    assert len(complete(killed, "features")) == 4, "the second one is being extracted"
    assert not (killed / "benchmarks").exists()
    for store in (killed, undisturbed):
        benchmark("folder", categories, store, block_images=8, engine="threads", **METHOD)
    assert before.items() <= complete(killed).items()
    assert len(complete(killed)) == len(complete(undisturbed))
    assert metrics(killed) == metrics(undisturbed)
