"""What the references of a watch score against each other, kept in the store: thresholds and usual maps follow."""

import json
from dataclasses import dataclass

import numpy as np

from musc.decisions.choose_threshold import MIN_IMAGES
from musc.image_scores import score_maps, usual_scores
from musc.settings import needs_usual
from storage.results.arrivals import Arrivals
from tasks.watching.reference_bank import Bank


@dataclass(frozen=True)
class ReferenceScores:
    """Of G references, each with itself left out; nothing of fewer than `MIN_IMAGES`."""

    raw: np.ndarray
    """(G,) or (0,)."""
    usual: np.ndarray | None = None
    """Float32 (rows, columns), what `image_score` position takes away; None for others."""


def reference_scores(bank: Bank, arrivals: Arrivals) -> ReferenceScores:
    """The references' scores: of an earlier start with the same references, or computed and kept.

    Raises:
        ValueError: where there are too few references to say what is usual, and that is needed.
    """
    which = bank.job.settings.image_score
    position = needs_usual(which)
    if len(bank.contents) < MIN_IMAGES:
        if position:
            raise ValueError(
                f"image_score {which} must have {MIN_IMAGES} references or more, whose median is what is usual at a "
                f"place, got {len(bank.contents)}; add good photographs, or take another --image-score"
            )
        return ReferenceScores(np.empty(0))
    path = f"{arrivals.path}/references.json"
    if not arrivals.store.exists(path):
        maps = bank.own_patch_scores()
        usual = usual_scores(maps) if position else None
        raw = score_maps(maps, bank.job.backbone.image_size, which, usual)[0]
        kept = {
            "raw_scores": raw.tolist(),
            "usual": None if usual is None else usual.tolist(),
            "job": bank.job.score_identity,
        }
        arrivals.store.write(path, json.dumps(kept).encode())
    known = json.loads(arrivals.store.read(path))
    usual = np.array(known["usual"], dtype=np.float32) if position else None
    return ReferenceScores(np.array(known["raw_scores"]), usual)
