"""What verdicts of one night change in the next: AUROC, false alarms and misses with good references and a suggested
threshold.

    python benchmarks/verdicts.py ../shared/data/magnetic_tile magnetic_tile
    python benchmarks/verdicts.py ../shared/data/mvtec_ad bottle --defective 10

A category in the layout of MVTec AD is dealt into two nights of equal kinds. Night 1 is scored, and a person, played by
the labels, judges all of it. Night 2 is scored without and with the images judged good as references, and decided by
its own rule and by the threshold that the verdicts suggest.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flows.pipelines.lot import score_folder
from musc.decisions.threshold_from_verdicts import expected
from musc.metrics import image_metrics
from planning.requests import LotRequest, request_of
from reports.verdicts.counts import calibration_of
from storage.datasets.folder_contents import images_in
from storage.results.runs import Run
from storage.results.verdict_reader import read_verdicts
from storage.results.verdicts import DEFECTIVE, GOOD, Verdict, add_verdict
from storage.store import Store
from tasks.runtime.runner import InlineRunner

NIGHTS = (1, 2)


def deal(category: Path, target: Path, *, seed: int, defective: int | None) -> None:
    """Copy a category's images into two nights, `good-…` and `defective-…`, in equal shares of each kind.

    Args:
        category: holds `test/good`, `test/<type>` and perhaps `train/good`.
        target: for the nights' folders.
        seed: of the shuffle.
        defective: images with a defect in each night; half of all unless given.
    """
    rng = np.random.default_rng(seed)
    kinds = {
        GOOD: [*images_in(category / "test" / "good"), *images_in(category / "train" / "good")],
        DEFECTIVE: [
            image for kind in sorted((category / "test").iterdir()) if kind.name != "good" for image in images_in(kind)
        ],
    }
    for kind, images in kinds.items():
        share = defective if kind == DEFECTIVE and defective else len(images) // 2
        order = rng.permutation(len(images))
        for night in NIGHTS:
            folder = target / f"night-{night}"
            folder.mkdir(parents=True, exist_ok=True)
            for place in order[(night - 1) * share : night * share]:
                name = f"{kind}-{images[place].parent.name}-{images[place].name}"
                (folder / name).write_bytes(images[place].read_bytes())


def judge_by_label(run: Run) -> None:
    """Say of every image what its name says."""
    images = {image.image_id: image for image in run.scored_images()}
    for row in run.scores().itertuples():
        image, said = images[str(row.image_id)], GOOD if is_good(str(row.path)) else DEFECTIVE
        decided = {"raw_score": float(row.raw_score), "decision": str(row.decision), "verdict": said, "name": "labels"}
        add_verdict(run.store, Verdict(run.path, image.image_id, image.path, image.sha256, "part", **decided))


def is_good(path: str) -> bool:
    """Whether an image of a dealt night has no defect."""
    return path.startswith(f"{GOOD}-")


def outcome(run: Run, threshold: float | None) -> dict[str, Any]:
    """AUROC of raw scores, and what a threshold, or the run's own decisions, pull."""
    scores = run.scores()
    bad = np.array([not is_good(str(path)) for path in scores["path"]])
    raw = scores["raw_score"].to_numpy()
    pulled = (scores["decision"] == "flagged").to_numpy() if threshold is None else raw >= threshold
    return {
        "image AUROC": image_metrics(bad.astype(int), raw)["auroc"],
        "pulled": int(pulled.sum()),
        "false alarms": int((pulled & ~bad).sum()),
        "misses": int((~pulled & bad).sum()),
    }


def measure(category: Path, *, seed: int = 0, defective: int | None = None, **settings: Any) -> pd.DataFrame:
    """Two nights of a category; a row for each way of scoring and deciding night 2."""
    with tempfile.TemporaryDirectory() as place:
        deal(category, Path(place) / "lots", seed=seed, defective=defective)
        store = str(Path(place) / "store")

        def score(night: int, **more: Any) -> Run:
            folder = str(Path(place) / "lots" / f"night-{night}")
            given = {"folder": folder, "output": store, "category": "part", **settings, **more}
            return Run(Store(store), score_folder(request_of(LotRequest, given), InlineRunner()).run)

        first = score(1)
        plain = score(2)
        judge_by_label(first)
        vouched = score(2, good_from_verdicts=True)
        calibration, _ = calibration_of([read_verdicts(first.store, first.path)])
        threshold = None if calibration is None else calibration.threshold()
        rows = []
        for references, run in (("this lot", plain), ("and judged good", vouched)):
            rows.append({"references": references, "threshold": "the rule's", **outcome(run, None)})
            if calibration is not None and threshold is not None:
                told = expected(calibration, run.scores()["raw_score"].to_numpy(), threshold)
                foretold = {"expected false alarms": told.false_alarms, "expected misses": told.misses}
                rows.append({"references": references, "threshold": "suggested", **outcome(run, threshold), **foretold})
        return pd.DataFrame(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("category")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--defective", type=int)
    parser.add_argument("--backbone", default="efficientnet-lite0")
    given = parser.parse_args(arguments)
    table = measure(given.root / given.category, seed=given.seed, defective=given.defective, backbone=given.backbone)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}", na_rep="–"))


if __name__ == "__main__":
    main()
