"""Trials: image scores of a lot for several choices, from patch scores that they share."""

import numpy as np
import pandas as pd

from musc.image_scores import score_maps, usual_scores
from musc.layers import finest_grid
from musc.settings import needs_usual
from planning.task_results import StoredArtefact
from planning.tuning.choices import Choice
from planning.tuning.tuning_specs import TrialSpec
from storage.artefacts import is_complete, writing
from storage.images.lots import load_lot, usable_images
from storage.products.tunings import SCORES
from storage.results.features import LotFeatures, mark_excluded
from storage.store import Store
from storage.tables import write_table
from tasks.write_run import average_shards


def try_choices(spec: TrialSpec) -> StoredArtefact:
    """Make sure the image scores of a lot with every choice are stored."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        images = usable_images(mark_excluded(load_lot(store, spec.lot_key), LotFeatures(store, spec.blocks)))
        columns = {choice.text: choice_scores(store, spec, choice, len(images)) for choice in spec.choices}
        table = pd.DataFrame(
            {"path": [one.path for one in images], "sha256": [one.sha256 for one in images], **columns}
        )
        with writing(store, spec.path) as staging:
            write_table(store, f"{staging.path}/{SCORES}", table)
    return StoredArtefact(path=spec.path)


def choice_scores(store: Store, spec: TrialSpec, choice: Choice, image_count: int) -> np.ndarray:
    """Raw image scores of a lot with one choice, float32 (N,), from the shards of its layers."""
    layers = [layer for layer in spec.job.backbone.layers if choice.layers is None or layer.number in choice.layers]
    numbers, finest = {layer.number for layer in layers}, finest_grid(layers)
    shards = [one for one in spec.shards if one[0].layer in numbers]
    patch_scores = average_shards(store, shards, finest, image_count)
    usual = None
    if spec.known and spec.known.shards and needs_usual(choice.image_score):
        known = [one for one in spec.known.shards if one[0].layer in numbers]
        usual = usual_scores(average_shards(store, known, finest, spec.known.image_count))
    return score_maps(patch_scores, spec.job.backbone.image_size, choice.image_score, usual)[0]
