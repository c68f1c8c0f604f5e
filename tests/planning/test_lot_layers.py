"""Planning for layers of different grid and width: every spec is of its own layer's grid, with its window."""

from dataclasses import replace

import pytest

from musc.layers import BackboneSpec, Layer
from musc.plan.shard_memory import shard_bytes
from planning.lot_specs import aggregate_specs, extract_specs, group_specs, score_specs
from planning.resources import Allocation
from storage.images.lots import ListedImage
from tasks.extract import feature_arrays
from tests.flat import chosen, job_of, with_allocation

FINE, MIDDLE, COARSE = LAYERS = (Layer(2, (24, 16), 11), Layer(3, (12, 8), 23), Layer(4, (6, 4), 37))
N = 19
JOB = job_of(
    settings=chosen(backbone="net", degrees=(1, 3)),
    backbone=BackboneSpec("net", "tag", "digest-1", (192, 128), LAYERS, 48),
    allocation=Allocation("cpu", 10**9, 8),
)
CONTENTS = [f"sha{number}" for number in range(N)]
LOT = [ListedImage(f"id{number}", f"{number}.png", sha256, 64, 64, "ok", "") for number, sha256 in enumerate(CONTENTS)]


def test_features_are_stored_with_the_patches_and_width_of_their_layer() -> None:
    found = {name: array.shape for name, array in feature_arrays(JOB.backbone).items()}
    assert found == {"layer_02": (384, 11), "layer_03": (96, 23), "layer_04": (24, 37), "class_tokens": (48,)}


def test_aggregate_specs_have_the_grid_of_their_layer() -> None:
    made = aggregate_specs(JOB, extract_specs(JOB, "lot", LOT))
    assert {(spec.layer, spec.grid) for spec in made} == {(layer.number, layer.grid) for layer in LAYERS}
    assert len(made) == 3 * 3 * 2


@pytest.mark.parametrize(
    ("match_radius", "windows"),
    [(None, (None, None, None)), (5, (5, 3, 2)), (17, (17, 9, None)), (21, (21, None, None)), (23, (None,) * 3)],
)
def test_score_specs_have_the_grid_and_window_of_their_layer(
    match_radius: int | None, windows: tuple[int | None, ...]
) -> None:
    job = replace(JOB, settings=JOB.settings.changed(match_radius=match_radius))
    made = score_specs(job, extract_specs(job, "lot", LOT), [], CONTENTS)
    expected = {(layer.number, layer.grid, own) for layer, own in zip(LAYERS, windows, strict=True)}
    assert {(spec.shard.layer, spec.comparison.grid, spec.comparison.match_radius) for spec in made} == expected
    assert all(spec.comparison.masked is (spec.comparison.match_radius is not None) for spec in made)


def test_score_specs_divide_the_fine_layer_only() -> None:
    job = with_allocation(JOB, memory_bytes=shard_bytes(7, N, FINE.patch_count, FINE.width))
    made = score_specs(job, extract_specs(job, "lot", LOT), [], CONTENTS)
    counts = {layer.number: sum(spec.shard.layer == layer.number for spec in made) for layer in LAYERS}
    assert counts == {2: 3, 3: 1, 4: 1}


def test_group_spec_reads_the_middle_layer() -> None:
    (grouping,) = group_specs(JOB, score_specs(JOB, extract_specs(JOB, "lot", LOT), [], CONTENTS))
    assert {(part.shard.layer, part.comparison.grid) for part in grouping.parts} == {(3, MIDDLE.grid)}
