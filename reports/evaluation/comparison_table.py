"""A benchmark's table: every metric of every category, its mean, and what was published."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from musc.settings import PAPER_BACKBONE
from reports.sentences import counted
from storage.datasets.published_results import CATEGORY_COUNTS, MEAN, published_values

PUBLISHED_NAMES = {"pixel_aupro_reference": "pixel_aupro"}
"""Published AU-PRO figures were made with 200 thresholds, so they stand beside ours that were made so."""
NEVER_COMPARED = ("pixel_aupro",)
PAPER_CHOICE = (PAPER_BACKBONE, 518)
"""Backbone and image size of the paper's main table."""


def with_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Add, for each backbone, the mean of every metric over the categories where it is defined.

    Args:
        rows: `dataset`, `backbone`, `image_size`, `category`, `metric`, `value` in [0, 1], `images`, `without_mask`,
            those that the metric leaves out because their masks are missing, and `good` and `defective`, images of the
            category by label; a row per metric of a category.

    Returns:
        The rows and the means, each with `published` and `difference` in [0, 1], NaN where nothing was published, and
        `published_of`, whose number that is.
        A mean over fewer categories than the dataset has is not compared, nor is a metric that leaves images out.
    """
    means = (
        rows.groupby(["dataset", "backbone", "image_size", "metric"], sort=False)
        .agg(
            value=("value", "mean"),
            images=("images", "sum"),
            without_mask=("without_mask", "sum"),
            good=("good", "sum"),
            defective=("defective", "sum"),
            categories=("value", "count"),
        )
        .reset_index()
        .assign(category=MEAN)
    )
    table = pd.concat([rows.assign(categories=1), means], ignore_index=True)
    compared = [published(row) for row in table.to_dict("records")]
    table["published"] = [value for value, _ in compared]
    table["published_of"] = [source for _, source in compared]
    table["difference"] = table["value"] - table["published"]
    columns = ["dataset", "backbone", "image_size", "category", "metric", "value", "published", "published_of"]
    return table[[*columns, "difference", "images", "without_mask", "good", "defective", "categories"]]


def published(row: Mapping[Hashable, Any]) -> tuple[float, str]:
    """The published value to set beside a row, in [0, 1], and whose it is; NaN and nothing if there is none.

    A backbone without published numbers of its own is set beside the paper's, `ViT-L-14-336` at 518 pixels.
    """
    size = str(row["image_size"])
    partial_mean = row["category"] == MEAN and row["categories"] != CATEGORY_COUNTS.get(row["dataset"])
    if row["metric"] in NEVER_COMPARED or partial_mean or row["without_mask"]:
        return np.nan, ""
    own_setting = (str(row["backbone"]), int(size)) if size.isdecimal() else PAPER_CHOICE
    backbone, image_size = own_setting if published_values(row["dataset"], MEAN, *own_setting) else PAPER_CHOICE
    values = published_values(row["dataset"], row["category"], backbone, image_size)
    value = values.get(PUBLISHED_NAMES.get(row["metric"], row["metric"]))
    return (np.nan, "") if value is None else (value / 100, f"{backbone} at {image_size} pixels")


def caption(table: pd.DataFrame, backbone: str) -> str:
    """What the numbers of `shown` are."""
    rows = table[table["backbone"] == backbone]
    own = [f"{backbone} at {size} pixels" for size in rows["image_size"].unique()]
    others = [source for source in rows["published_of"].unique() if source and source not in own]
    if rows["published"].isna().all():
        return "percent"
    return f"percent, difference from the published value{f' of {others[0]}' if others else ''} in parentheses"


def describe_without_masks(table: pd.DataFrame, backbone: str) -> list[str]:
    """A sentence for each category whose metrics of pixels leave images out, as their masks are missing."""
    rows = table[(table["backbone"] == backbone) & (table["category"] != MEAN) & (table["without_mask"] > 0)]
    return [
        f"{row['category']}: pixel metrics are not defined for {row['without_mask']} of "
        f"{counted(row['images'] + row['without_mask'], 'image')}, defective ones without a mask; they are those of "
        "the others."
        for row in rows.drop_duplicates("category").to_dict("records")
    ]


def describe_not_read(table: pd.DataFrame) -> list[str]:
    """Which images of the dataset were not read, as sentences."""
    return [str(text) for text in table["not_read"].unique() if text]


def result_table(table: pd.DataFrame, backbone: str) -> pd.DataFrame:
    """One backbone's results as people read them: a row per category with the images read, `good` and `defective`, and
    a column per metric, percent, `±` published.

    The mean is left out where there is one category only.
    """
    results = table[table["backbone"] == backbone]
    if results["category"].nunique() == 2:
        results = results[results["category"] != MEAN]
    texts = results.assign(text=[in_percent(row) for row in results.to_dict("records")])
    metrics = texts.pivot_table(index="category", columns="metric", values="text", aggfunc="first", sort=False)
    counts = results.drop_duplicates("category").set_index("category")[["good", "defective"]].map("{:,}".format)
    return counts.join(metrics).reset_index()


def in_percent(row: Mapping[Hashable, Any]) -> str:
    """Such as `97.8 (+0.1)`, the difference from the published value in parentheses; `–` where not defined."""
    if np.isnan(row["value"]):
        return "–"
    text = f"{100 * row['value']:.1f}"
    return text if np.isnan(row["difference"]) else f"{text} ({100 * row['difference']:+.1f})"
