"""Published numbers: which rows are found and which source wins."""

import csv
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import pytest

import storage.datasets
from storage.datasets.published_results import MEAN, published_values

METRICS = {"image_auroc", "image_f1_max", "image_ap", "pixel_auroc", "pixel_f1_max", "pixel_ap", "pixel_aupro"}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """The shipped table as it is written."""
    with (Path(storage.datasets.__path__[0]) / "published_results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_published_category_holds_every_metric_in_percent() -> None:
    values = published_values("mvtec_ad", "bottle", "ViT-L-14-336", 518)
    assert values.keys() == METRICS
    assert (values["image_auroc"], values["pixel_aupro"]) == (99.92, 96.10)


def test_published_mean_prefers_the_reference_implementation() -> None:
    assert published_values("mvtec_ad", MEAN, "ViT-L-14-336", 518)["image_auroc"] == 97.77  # the paper says 97.8


def test_published_mean_falls_back_on_the_paper() -> None:
    assert published_values("mvtec_loco", MEAN, "ViT-L-14-336", 518) == {
        "image_auroc": 75.9,
        "image_auroc_logical": 67.47,
        "image_auroc_structural": 84.3,
        "pixel_auspro_0_05": 63.04,
    }


def test_published_values_differ_by_image_size() -> None:
    small, large = (published_values("btad", MEAN, "ViT-L-14", size)["image_auroc"] for size in (336, 518))
    assert small != large


@pytest.mark.parametrize(
    "choice",
    [
        ("folder", "mean", "ViT-L-14-336", 518),
        ("mvtec_ad", "screws", "ViT-L-14-336", 518),
        ("mvtec_ad", "mean", "texture", 518),
        ("mvtec_ad", "mean", "ViT-L-14-336", 224),
    ],
)
def test_published_values_are_empty_where_nothing_was_published(choice: tuple[str, str, str, int]) -> None:
    assert published_values(*choice) == {}


def test_published_values_are_a_copy() -> None:
    published_values("btad", MEAN, "ViT-L-14", 518).clear()
    assert published_values("btad", MEAN, "ViT-L-14", 518).keys() == METRICS


def test_published_values_give_back_every_reference_row(rows: list[dict[str, str]]) -> None:
    for row in rows:
        if row["source"] == "reference implementation":
            values = published_values(row["dataset"], row["category"], row["backbone"], int(row["image_size"]))
            assert values[row["metric"]] == float(row["percent"])


@pytest.mark.parametrize("dataset", ["mvtec_ad", "visa", "btad"])
def test_published_mean_is_the_mean_over_categories_but_for_one(rows: list[dict[str, str]], dataset: str) -> None:
    by_metric = defaultdict(list)
    for row in rows:
        if row["dataset"] == dataset and row["category"] != "mean":
            by_metric[row["metric"]].append(float(row["percent"]))
    mean = published_values(dataset, MEAN, "ViT-L-14-336", 518)
    differing = {metric for metric, values in by_metric.items() if abs(fmean(values) - mean[metric]) > 0.011}
    assert differing == ({"pixel_auroc"} if dataset == "visa" else set())
