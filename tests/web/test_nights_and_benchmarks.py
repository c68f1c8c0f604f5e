"""What the overview takes for a night: a benchmark is none, and no line joins what cannot be compared."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from cli.main import app
from flows.pipelines.lot import score_folder
from storage.datasets.synthetic.lot import write_lot
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request
from web.app import create_app
from web.benchmarks import benchmark_runs
from web.overview import Product, products_of
from web.rendering import network
from web.store_cache import Library

SMALL: dict[str, Any] = {"backbone": "texture", "image_size": 64, "layers": (0,), "degrees": (1,)}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a benchmark of `cap`, and three lots of it, of which one was scored in three ways."""
    root = tmp_path_factory.mktemp("mixed")
    for kind, good, bad, seed in (("good", 6, 0, 1), ("bad", 0, 2, 1)):
        drawn = write_lot(root / kind, good_count=good, defective_count=bad, size=64, seed=seed)
        for number, picture in enumerate(drawn):
            for place in (root / "data" / "cap" / "test" / kind, root / "cap" / "2026-11-20"):
                place.mkdir(parents=True, exist_ok=True)
                (place / f"{kind}-{number}.png").write_bytes(picture.read_bytes())
    for night in (21, 22):
        write_lot(root / "cap" / f"2026-11-{night}", good_count=6, defective_count=1, size=64, seed=night)
    words = ["benchmark", "folder", str(root / "data"), "--output", str(root / "store"), "--engine", "inline"]
    words += ["--backbone", "texture", "--image-size", "64", "--layers", "0", "--degrees", "1"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    for night, changes in ((20, {}), (20, {"degrees": (3,)}), (21, {}), (22, {}), (22, {"threshold": 0.1})):
        given = {"folder": str(root / "cap" / f"2026-11-{night}"), "output": str(root / "store")}
        score_folder(lot_request(**{**given, **SMALL, **changes}), InlineRunner())
    return root / "store"


def product_of(store: Path) -> Product:
    library = Library(Store(str(store)))
    runs = library.runs()
    (product,) = products_of(runs, library.judged(), library.unusual(runs))
    return product


def test_benchmark_is_told_apart_from_the_nights_of_the_same_photographs(mixed: Path) -> None:
    assert all(night.record.job.dataset == "" for night in product_of(mixed).nights)
    library = Library(Store(str(mixed)))
    library.runs()
    (found,) = library.benchmarks()
    assert (found.run.record.job.dataset, found.good, found.defective) == ("folder", 6, 2)
    client = TestClient(create_app(Store(str(mixed))), base_url="http://localhost")
    page = client.get("/").text
    assert "Benchmarks" in page
    assert "of the benchmark folder" in client.get(f"/lots/{found.run.name}").text


def test_benchmark_without_its_table_is_shown_all_the_same(mixed: Path) -> None:
    (found,) = benchmark_runs(Library(Store(str(mixed))).runs(), [])
    assert (found.good, found.defective, found.auroc) == (None, None, None)


def test_benchmarks_of_other_shapes_and_several_sizes_are_told_apart(mixed: Path) -> None:
    runs = Library(Store(str(mixed))).runs()
    ((name, run),) = [(name, run) for name, run in runs.items() if run.record.job.dataset]
    job = run.record.job
    found = []
    for sizes in ([(48, 96)], [(48, 48), (64, 64)]):
        smaller = tuple(replace(job.backbone, image_size=size) for size in sizes[:-1])
        seen = replace(job, backbone=replace(job.backbone, image_size=sizes[-1]), smaller=smaller)
        other = replace(run, record=run.record.model_copy(update={"job": seen}))
        facts = ("folder", job.backbone.name, job.category, "image_auroc", 6, 2)
        columns = ("dataset", "backbone", "category", "metric", "good", "defective")
        rows = [
            {**dict(zip(columns, facts, strict=True)), "image_size": size, "value": value} for size, value in VALUES
        ]
        found += [one.auroc for one in benchmark_runs({name: other}, [pd.DataFrame(rows)])]
        assert network(other.record).endswith("48 × 96" if len(sizes) == 1 else "48 × 48 and 64 × 64")
    assert found == [0.7, 0.9]


VALUES = (("48x96", 0.7), ("64", 0.8), ("48,64", 0.9))
"""AUROC by image size."""


def test_lines_join_each_night_once_and_only_those_scored_alike(mixed: Path) -> None:
    product = product_of(mixed)
    assert (len(product.nights), product.date_count) == (5, 3)
    assert [night.date for night in product.charted] == ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert {night.record.job.settings.degrees for night in product.charted} == {(1,)}
    assert all(len(dots) == 3 for chart in product.charts[:4] for _, dots in chart.lines)
    page = TestClient(create_app(Store(str(mixed))), base_url="http://localhost").get("/").text
    assert "5 runs in 3 nights" in page
    assert "In the charts: 3 lots scored as the last one, each once." in page


def test_what_is_not_known_of_a_benchmark_is_not_shown_as_a_dash(mixed: Path) -> None:
    library = Library(Store(str(mixed)))
    client = TestClient(create_app(Store(str(mixed))), base_url="http://localhost")
    runs = library.runs()
    for one in (library.benchmarks()[0].run.name, product_of(mixed).nights[0].run.name):
        known = not runs[one].record.job.dataset
        assert ("brightness" in client.get(f"/lots/{one}?view=table").text) == known
