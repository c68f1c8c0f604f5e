"""Images of earlier runs of a product that people judged good, used as references."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from musc.layers import BackboneSpec
from planning.lot_job import JudgedGood, LotJob
from reports.run_record import read_record
from storage.artefacts import digest, is_complete
from storage.errors import DamagedError, FormatVersionError
from storage.results.runs import Run
from storage.results.verdict_reader import reader_of
from storage.results.verdicts import GOOD, current_verdicts, looked_at
from storage.store import Store

if TYPE_CHECKING:
    import pandas as pd


log = logging.getLogger(__name__)

CHANCE_DEVIATIONS = 1.645
"""Standard deviations of a mean that drawn values exceed in 1 of 20 cases."""


def with_judged_good(job: LotJob) -> LotJob:
    """A job with the images as further references that people judged good in earlier runs of its product."""
    return replace(job, judged_good=judged_good(Store(job.store), job.category, job.backbones))


def judged_good(store: Store, category: str, backbones: Sequence[BackboneSpec]) -> tuple[JudgedGood, ...]:
    """The images of a product's runs whose standing verdict is good, by the runs' paths.

    Runs that are gone, of another product, scored with another backbone or as tiles are left out, as are those whose
    features are gone, or whose record cannot be read: a verdict about them cannot help, and must not stop a night.

    Args:
        backbones: whose features are compared, at every image size.
    """
    references = []
    for path, image_ids in good_image_ids(reader_of(store).everything(), category).items():
        if not is_complete(store, path):
            continue
        try:
            record = read_record(Run(store, path))
        except (DamagedError, FormatVersionError) as error:
            log.warning("%d images judged good are left out: %s", len(image_ids), error)
            continue
        blocks = [record.features_of(backbone) for backbone in backbones]
        same_features = record.job.settings.tile is None and all(blocks)
        if not same_features or not all(is_complete(store, block) for of_size in blocks for block in of_size):
            log.info("%d images judged good in %s are left out: other features, or none", len(image_ids), path)
            continue
        references.append(JudgedGood(path, image_ids))
    return tuple(references)


def judged_good_scores(store: Store, job: LotJob) -> np.ndarray | None:
    """Raw scores of a job's good images of earlier runs, each as its own lot scored it: with itself left out.

    They decide thresholds only if they may stand for all good parts. People look at the most anomalous images first,
    and a quantile of those would be far too high; so images whose scores lie higher in their lots than chance explains
    decide nothing, nor do those that were scored otherwise.

    Args:
        job: names the images in `judged_good`.

    Returns:
        Float64 (G,); None where they decide nothing.
    """
    import pandas as pd

    scores, ranks = [np.empty(0)], [np.empty(0)]
    for images in job.judged_good:
        run = Run(store, images.run)
        if digest(read_record(run).job.raw_score_identity) != digest(job.raw_score_identity):
            continue
        table = run.scores()
        raw = table["raw_score"].to_numpy(dtype=np.float64)
        is_judged = raw[table["image_id"].isin(images.image_ids).to_numpy()]
        scores.append(is_judged)
        ranks.append(
            pd.Series(raw).rank().to_numpy()[table["image_id"].isin(images.image_ids).to_numpy()] / (len(raw) + 1)
        )
    pooled, all_ranks = np.concatenate(scores), np.concatenate(ranks)
    if chosen_by_score(all_ranks):
        log.info("%d images judged good decide no threshold: they are the most anomalous of their lots", len(pooled))
        return None
    return pooled if len(pooled) else None


def chosen_by_score(ranks: np.ndarray) -> bool:
    """Whether images lie higher in their lots than drawn ones do in 19 of 20 cases.

    Args:
        ranks: (G,), of each image's score in its lot, from 0, the lowest, to 1.
    """
    if not len(ranks):
        return False
    return float(ranks.mean()) > 0.5 + CHANCE_DEVIATIONS / sqrt(12 * len(ranks))


def none_judged_good(category: str) -> str:
    """What to say where good references were asked for and there are none."""
    return (
        f"no image of {category} can be a good reference yet, so it was scored as without --good-from-verdicts: none "
        "is judged good, or those that are were scored with another backbone or as tiles, or have no features any more"
    )


def good_image_ids(verdicts: Mapping[str, "pd.DataFrame"], category: str) -> dict[str, tuple[str, ...]]:
    """Ids of the images of a product that are judged good, by path of the run; by content the latest verdict counts.

    One that was given without a look at the image makes it no reference.

    Args:
        verdicts: every verdict, by path of the run.
    """
    import pandas as pd

    tables = [current_verdicts(table) for _, table in sorted(verdicts.items())]
    if not tables:
        return {}
    latest = pd.concat(tables).sort_values("time", kind="stable").drop_duplicates("sha256", keep="last")
    good = looked_at(latest[(latest["verdict"] == GOOD) & (latest["category"] == category)])
    return {str(run): tuple(sorted(map(str, rows["image_id"]))) for run, rows in good.groupby("run")}
