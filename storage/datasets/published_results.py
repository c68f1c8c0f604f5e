"""The published numbers a benchmark is compared with.

`published_results.csv` holds, in percent, the tables of the paper (MuSc, ICLR 2024, arXiv 2401.16753; source `paper`)
and those published with the authors' public code (source `reference implementation`). Where both give a number, the
latter is what a rerun reproduces, so it is the one returned.

One published mean contradicts its own categories: VisA `pixel_auroc` for ViT-L-14-336 at 518 is given as 98.71, while
the twelve objects average to 98.84 (the paper says 98.8). It is returned as published.
"""

import csv
from functools import cache
from importlib.resources import files

MEAN = "mean"
"""The category name under which the mean over all categories of a dataset is published."""

CATEGORY_COUNTS = {"mvtec_ad": 15, "visa": 12, "btad": 3, "mvtec_loco": 5}
"""Categories of each whole dataset; a mean over fewer is not comparable with the published one."""

_PREFERENCE = ("paper", "reference implementation")
"""From the weaker to the stronger source."""


def published_values(dataset: str, category: str, backbone: str, image_size: int) -> dict[str, float]:
    """What was published for one category.

    Args:
        dataset: `mvtec_ad`, `visa`, `btad` or `mvtec_loco`.
        category: as the dataset spells it; `mean` for the mean over all categories.
        backbone: e.g. `ViT-L-14-336`.
        image_size: side of the square input in pixels.

    Returns:
        Metric name -> percent, e.g. `{"image_auroc": 99.92, …}`; empty when nothing was published for this choice.
    """
    return dict(_table().get((dataset, category, backbone, image_size), {}))


@cache
def _table() -> dict[tuple[str, str, str, int], dict[str, float]]:
    text = files("storage.datasets").joinpath("published_results.csv").read_text(encoding="utf-8")
    rows = sorted(csv.DictReader(text.splitlines()), key=lambda row: _PREFERENCE.index(row["source"]))
    table: dict[tuple[str, str, str, int], dict[str, float]] = {}
    for row in rows:
        key = (row["dataset"], row["category"], row["backbone"], int(row["image_size"]))
        table.setdefault(key, {})[row["metric"]] = float(row["percent"])
    return table
