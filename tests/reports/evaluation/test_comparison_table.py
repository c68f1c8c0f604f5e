"""The benchmark's table: means, what is compared with published numbers and what is not, and how it reads."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.evaluation.comparison_table import (
    caption,
    describe_not_read,
    describe_without_masks,
    in_percent,
    result_table,
    with_means,
)
from storage.datasets.published_results import CATEGORY_COUNTS, MEAN, published_values

NAME = "ViT-L-14-336"
LABELS = {"good": 7, "defective": 3}


def rows_of(metrics: dict[str, list[float]], **changes: Any) -> pd.DataFrame:
    """A row per metric and category; the values of a metric belong to the BTAD products 01, 02 and 03 in turn."""
    whole = {
        "dataset": "btad",
        "backbone": NAME,
        "image_size": "518",
        "images": 10,
        "without_mask": 0,
        **LABELS,
        **changes,
    }
    return pd.DataFrame(
        [
            {**whole, "category": f"0{number}", "metric": metric, "value": value}
            for metric, values in metrics.items()
            for number, value in enumerate(values, 1)
        ]
    )


def row(table: pd.DataFrame, category: str, metric: str) -> pd.Series:
    found = table[(table["category"] == category) & (table["metric"] == metric)]
    assert len(found) == 1
    return found.iloc[0]


def test_comparison_sets_the_published_value_beside_ours() -> None:
    table = with_means(rows_of({"image_auroc": [0.5, 0.75, 1.0]}))
    published = published_values("btad", "02", NAME, 518)["image_auroc"] / 100
    found = row(table, "02", "image_auroc")
    assert found["published"] == published
    assert found["difference"] == 0.75 - published


def test_comparison_mean_over_the_whole_dataset_is_compared() -> None:
    found = row(with_means(rows_of({"image_auroc": [0.5, 0.75, 1.0]})), "mean", "image_auroc")
    assert (found["value"], found["images"], found["categories"]) == (0.75, 30, 3)
    assert found["published"] == published_values("btad", MEAN, NAME, 518)["image_auroc"] / 100


def test_comparison_mean_over_a_part_of_the_dataset_is_not_compared() -> None:
    found = row(with_means(rows_of({"image_auroc": [0.5, 1.0]})), "mean", "image_auroc")
    assert found["value"] == 0.75
    assert np.isnan(found["published"])
    assert np.isnan(found["difference"])


def test_comparison_mean_leaves_out_what_is_not_defined() -> None:
    found = row(with_means(rows_of({"image_auroc": [0.5, np.nan, 1.0]})), "mean", "image_auroc")
    assert (found["value"], found["categories"]) == (0.75, 2)
    assert np.isnan(found["published"])


def test_comparison_reference_aupro_stands_beside_the_published_aupro() -> None:
    table = with_means(rows_of({"pixel_aupro": [0.9] * 3, "pixel_aupro_reference": [0.8] * 3}))
    for category in ("01", "mean"):
        assert np.isnan(row(table, category, "pixel_aupro")["published"])
        expected = published_values("btad", category, NAME, 518)["pixel_aupro"] / 100
        assert row(table, category, "pixel_aupro_reference")["published"] == expected


def test_comparison_of_loco_compares_both_kinds_of_anomaly() -> None:
    count = CATEGORY_COUNTS["mvtec_loco"]
    names = ["image_auroc", "image_auroc_logical", "image_auroc_structural", "pixel_auspro_0_05", "pixel_auspro_0_3"]
    table = with_means(rows_of({name: [0.5] * count for name in names}, dataset="mvtec_loco"))
    published = {name: row(table, "mean", name)["published"] for name in names}
    assert np.isnan(published.pop("pixel_auspro_0_3"))
    assert published == {
        name: pytest.approx(v / 100) for name, v in published_values("mvtec_loco", MEAN, NAME, 518).items()
    }


def test_comparison_of_a_dataset_without_published_numbers_is_empty() -> None:
    table = with_means(rows_of({"image_auroc": [0.5, 0.75, 1.0]}, dataset="folder"))
    assert table[["published", "difference"]].isna().all(axis=None)
    assert set(table["published_of"]) == {""}


@pytest.mark.parametrize(
    "changes", [{"backbone": "texture"}, {"image_size": "224"}, {"image_size": "518x392"}], ids=str
)
def test_comparison_of_a_choice_without_published_numbers_is_with_the_papers(changes: dict[str, str]) -> None:
    table = with_means(rows_of({"image_auroc": [0.5, 0.75, 1.0]}, **changes))
    found = row(table, "02", "image_auroc")
    assert found["published"] == published_values("btad", "02", NAME, 518)["image_auroc"] / 100
    assert found["published_of"] == "ViT-L-14-336 at 518 pixels"


def test_comparison_never_mixes_the_papers_numbers_with_the_choices_own() -> None:
    """At 336 pixels means of BTAD were published, and nothing of its products."""
    table = with_means(rows_of({"image_auroc": [0.5, 0.75, 1.0]}, image_size="336"))
    assert row(table, "mean", "image_auroc")["published_of"] == "ViT-L-14-336 at 336 pixels"
    assert np.isnan(row(table, "02", "image_auroc")["published"])


def test_comparison_keeps_backbones_apart() -> None:
    values = {"image_auroc": [0.5, 0.75, 1.0]}
    other = rows_of({"image_auroc": [0.0, 0.0, 0.25]}, backbone="texture", image_size="256")
    table = with_means(pd.concat([rows_of(values), other], ignore_index=True))
    means = table[table["category"] == "mean"].set_index("backbone")["value"]
    assert means.to_dict() == {NAME: 0.75, "texture": pytest.approx(0.25 / 3)}


def test_shown_table_is_in_percent_with_differences() -> None:
    table = result_table(with_means(rows_of({"image_auroc": [0.5, 0.75, 1.0], "pixel_aupro": [0.9, 0.8, 0.7]})), NAME)
    assert table["category"].tolist() == ["01", "02", "03", "mean"]
    difference = 75 - published_values("btad", "02", NAME, 518)["image_auroc"]
    assert table.set_index("category").loc["02"].tolist() == ["7", "3", f"75.0 ({difference:+.1f})", "80.0"]


def test_shown_table_counts_the_images_read_by_label() -> None:
    table = result_table(with_means(rows_of({"image_auroc": [0.5, 0.75, 1.0], "pixel_aupro": [0.9, 0.8, 0.7]})), NAME)
    assert list(table.columns[:3]) == ["category", "good", "defective"]
    assert table.set_index("category").loc["mean", ["good", "defective"]].tolist() == ["21", "9"]


def test_shown_table_is_of_one_backbone() -> None:
    values = {"image_auroc": [0.5]}
    table = with_means(pd.concat([rows_of(values), rows_of({"image_auroc": [0.25]}, backbone="texture")]))
    assert result_table(table, "texture")["image_auroc"].str.startswith("25.0 (").tolist() == [True], (
        "the mean of one category says nothing more"
    )
    assert caption(table[table["backbone"] == "texture"].assign(published=np.nan), "texture") == "percent"
    assert "difference from the published value of ViT-L-14-336 at 518 pixels in" in caption(table, "texture")
    assert caption(table, NAME) == "percent, difference from the published value in parentheses"


@pytest.mark.parametrize(
    ("value", "difference", "text"),
    [(0.9777, np.nan, "97.8"), (0.9777, 0.0012, "97.8 (+0.1)"), (0.5, -0.25, "50.0 (-25.0)"), (np.nan, np.nan, "–")],
)
def test_percent_text(value: float, difference: float, text: str) -> None:
    assert in_percent({"value": value, "difference": difference}) == text


def test_a_metric_that_leaves_images_out_is_not_compared_and_says_so() -> None:
    rows = rows_of({"image_auroc": [0.5, 0.75, 1.0], "pixel_auroc": [0.5, 0.75, 1.0]})
    rows.loc[(rows["metric"] == "pixel_auroc") & (rows["category"] == "02"), ["images", "without_mask"]] = 7, 3
    table = with_means(rows).assign(not_read="")
    assert row(table, "02", "image_auroc")["published"] > 0
    assert row(table, "01", "pixel_auroc")["published"] > 0
    assert np.isnan(row(table, "02", "pixel_auroc")["published"])
    assert np.isnan(row(table, "mean", "pixel_auroc")["published"])
    assert (row(table, "mean", "pixel_auroc")[["images", "without_mask"]] == [27, 3]).all()
    assert [sentence.partition(",")[0] for sentence in describe_without_masks(table, NAME)] == [
        "02: pixel metrics are not defined for 3 of 10 images"
    ]


def test_images_that_were_not_read_are_said() -> None:
    table = with_means(rows_of({"image_auroc": [0.5]})).assign(not_read="Not read: 8 images in kos13/kos08.")
    assert describe_not_read(table) == ["Not read: 8 images in kos13/kos08."]
