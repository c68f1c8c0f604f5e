"""A benchmark's table: every metric of every category, its mean, and what was published."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from storage.published import CATEGORY_COUNTS, MEAN, published_values

PUBLISHED_NAMES = {"pixel_aupro_reference": "pixel_aupro"}
"""Published AU-PRO figures were made with 200 thresholds, so they stand beside ours that were made so."""
NEVER_COMPARED = ("pixel_aupro",)


def with_means(rows: pd.DataFrame) -> pd.DataFrame:
    """Add, for each backbone, the mean of every metric over the categories where it is defined.

    Args:
        rows: `dataset`, `backbone`, `image_size`, `category`, `metric`, `value` in [0, 1] and `images`, a row per
            metric of a category.

    Returns:
        The rows and the means, each with `published` and `difference` in [0, 1], NaN where nothing was published.
        A mean over fewer categories than the dataset has is not compared.
    """
    means = (
        rows.groupby(["dataset", "backbone", "image_size", "metric"], sort=False)
        .agg(value=("value", "mean"), images=("images", "sum"), categories=("value", "count"))
        .reset_index()
        .assign(category=MEAN)
    )
    table = pd.concat([rows.assign(categories=1), means], ignore_index=True)
    table["published"] = [published(row) for row in table.to_dict("records")]
    table["difference"] = table["value"] - table["published"]
    columns = ["dataset", "backbone", "image_size", "category", "metric", "value", "published", "difference"]
    return table[[*columns, "images", "categories"]]


def published(row: Mapping[Hashable, Any]) -> float:
    """The published value to set beside a row, in [0, 1]; NaN if there is none."""
    side = row["image_size"].split("x")
    partial_mean = row["category"] == MEAN and row["categories"] != CATEGORY_COUNTS.get(row["dataset"])
    if row["metric"] in NEVER_COMPARED or partial_mean or len(set(side)) > 1:
        return np.nan
    values = published_values(row["dataset"], row["category"], row["backbone"], int(side[0]))
    return values.get(PUBLISHED_NAMES.get(row["metric"], row["metric"]), np.nan) / 100


def caption(table: pd.DataFrame, backbone: str) -> str:
    """What the numbers of `shown` are."""
    compared = table.loc[table["backbone"] == backbone, "published"].notna().any()
    return "percent, difference from the published value in parentheses" if compared else "percent"


def shown(table: pd.DataFrame, backbone: str) -> pd.DataFrame:
    """One backbone's results as people read them: a row per category, a column per metric, percent, `±` published.

    The mean is left out where there is one category only.
    """
    part = table[table["backbone"] == backbone]
    if part["category"].nunique() == 2:
        part = part[part["category"] != MEAN]
    texts = part.assign(text=[in_percent(row) for row in part.to_dict("records")])
    table = texts.pivot_table(index="category", columns="metric", values="text", aggfunc="first", sort=False)
    return table.reset_index()


def in_percent(row: Mapping[Hashable, Any]) -> str:
    """Such as `97.8 (+0.1)`, the difference from the published value in parentheses; `–` where not defined."""
    if np.isnan(row["value"]):
        return "–"
    text = f"{100 * row['value']:.1f}"
    return text if np.isnan(row["difference"]) else f"{text} ({100 * row['difference']:+.1f})"
