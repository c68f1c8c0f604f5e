"""Accepted images of earlier runs: found, compared, left out where they must be, and refused by name."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from musc.layers import Layer
from planning.lot_job import LotJob, RegionOfInterest
from planning.task_specs import BlockRows
from reports.references import earlier_references
from storage.artefacts import writing
from storage.images.lots import ListedImage
from storage.results.features import ArraySpec, writing_block
from storage.results.runs import IMAGES, SCORES, write_record
from storage.store import Store
from storage.tables import write_table
from tests.flat import chosen, job_of, record_of

BACKBONE = job_of().backbone
RUN = "runs/monday-0a1b2c3d"


def listed(name: str, status: str = "ok") -> ListedImage:
    return ListedImage(f"id-{name}", f"{name}.png", f"sha-{name}", 64, 64, status, "")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def write_block(store: Store, block: str, image_count: int, excluded: tuple[int, ...] = ()) -> None:
    arrays = {"layer_00": ArraySpec((2, 3), "float16")}
    with writing_block(store, block, image_count=image_count, arrays=arrays, chunk_images=8, attributes={}) as staging:
        for position in excluded:
            staging.exclude(position, "not_finite", "NaN")


def write_run(
    store: Store,
    path: str,
    images: list[ListedImage],
    decisions: dict[str, str],
    job_changes: dict[str, Any] | None = None,
    **changes: Any,
) -> None:
    """A run of images in two blocks, of which the second's first image has no usable features."""
    usable = [image for image in images if image.status == "ok"]
    blocks = [f"features/{path[5:8]}-{half}" for half in ("a", "b")]
    write_block(store, blocks[0], 2)
    write_block(store, blocks[1], len(usable) - 1, excluded=(0,))
    table = pd.DataFrame({"path": [image.path for image in usable[::-1]]})
    table["decision"] = [decisions[name.removesuffix(".png")] for name in table["path"]]
    with writing(store, path) as staging:
        write_table(store, f"{staging.path}/{IMAGES}", pd.DataFrame([asdict(image) for image in images]))
        write_table(store, f"{staging.path}/{SCORES}", table)
        keys = {"run": "r", "listing": "l", "features": blocks, "patch_scores": (), "groups": ()}
        record = record_of(job_of(backbone=replace(BACKBONE, **changes), **(job_changes or {})), keys=keys)
        write_record(store, staging.path, record.model_dump(mode="json"))


MONDAY = [listed("a"), listed("bad", "unreadable"), listed("b"), listed("c"), listed("d"), listed("e")]
DECISIONS = {"a": "accepted", "b": "flagged", "c": "accepted", "d": "accepted", "e": "flagged"}


def job(store: Store, *runs: str) -> LotJob:
    return job_of(store=store.url, settings=chosen(backbone="net", references_from=runs))


def test_references_are_the_accepted_images_of_a_run(store: Store) -> None:
    write_run(store, RUN, MONDAY, DECISIONS)
    found = earlier_references(job(store, RUN), [listed("new")])
    # a, b | (no features), c, d, e
    assert found == (BlockRows("features/mon-a", (0,)), BlockRows("features/mon-b", (1, 2)))


def test_references_leave_out_copies_of_the_lot(store: Store) -> None:
    write_run(store, RUN, MONDAY, DECISIONS)
    renamed = replace(listed("c"), path="other/name.png", image_id="x")
    found = earlier_references(job(store, RUN), [renamed, listed("a")])
    assert found == (BlockRows("features/mon-b", (2,)),)


def test_references_of_several_runs_count_each_content_once(store: Store) -> None:
    write_run(store, RUN, MONDAY, DECISIONS)
    tuesday = [listed("a"), listed("f"), listed("g")]
    write_run(store, "runs/tuesday-1", tuesday, dict.fromkeys("afg", "accepted"))
    found = earlier_references(job(store, RUN, "runs/tuesday-1"), [])
    assert found == (
        BlockRows("features/mon-a", (0,)),
        BlockRows("features/mon-b", (1, 2)),
        BlockRows("features/tue-a", (1,)),
        BlockRows("features/tue-b", (1,)),
    )


def test_references_do_not_depend_on_the_order_of_the_runs(store: Store) -> None:
    again = RUN.replace("0a1b2c3d", "4e5f6071")  # the same lot, decided in another way
    write_run(store, RUN, MONDAY, {**dict.fromkeys("abce", "flagged"), "d": "accepted"})
    write_run(store, again, MONDAY, {**dict.fromkeys("abe", "flagged"), "c": "accepted", "d": "flagged"})
    for runs in ((RUN, again), (again, RUN)):
        assert earlier_references(job(store, *runs), []) == (BlockRows("features/mon-b", (1, 2)),)


def test_references_of_no_run_are_none(store: Store) -> None:
    assert earlier_references(job(store), [listed("a")]) == ()


@pytest.mark.parametrize("form", ["{run}/", "{store}/{run}"])
def test_references_accept_the_path_as_it_is_printed(store: Store, form: str) -> None:
    write_run(store, RUN, MONDAY, DECISIONS)
    given = form.format(store=store.location("").rstrip("/"), run=RUN)
    assert earlier_references(job(store, given), []) == earlier_references(job(store, RUN), [])


def test_references_refuse_a_run_that_is_not_there(store: Store) -> None:
    with pytest.raises(ValueError, match=r"references_from must name finished runs of the store .* got runs/gone-1"):
        earlier_references(job(store, "runs/gone-1"), [])


def test_references_refuse_another_backbone_naming_both(store: Store) -> None:
    layers = (BACKBONE.layers[0], Layer(3, (4, 4), 32))
    write_run(store, RUN, MONDAY, DECISIONS, name="other", layers=layers)
    with pytest.raises(ValueError, match=f"got {RUN} with backbone other, here net; give the same options as that run"):
        earlier_references(job(store, RUN), [])


def test_references_do_not_mind_where_the_weights_lay(store: Store) -> None:
    write_run(store, RUN, MONDAY, DECISIONS, weights="/elsewhere/net.pt")
    assert earlier_references(job(store, RUN), [])


def test_references_refuse_a_run_of_tiles(store: Store) -> None:
    write_run(store, RUN, MONDAY, DECISIONS, {"settings": chosen(backbone="net", tile=64)})
    with pytest.raises(ValueError, match=f"got {RUN}, which was scored as tiles of 64 pixels; score that lot again"):
        earlier_references(job(store, RUN), [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": (64, 96)}, "with image_size 64x96, here 64x64; give"),  # as keep_aspect gives it
        ({"layers": BACKBONE.layers[:1]}, "with layers 0, here 0,2; give"),
    ],
)
def test_references_refuse_other_sizes_and_layers_by_name(store: Store, changes: dict[str, Any], message: str) -> None:
    write_run(store, RUN, MONDAY, DECISIONS, **changes)
    with pytest.raises(ValueError, match=message):
        earlier_references(job(store, RUN), [])


def test_references_of_a_run_with_another_region_are_its_accepted_images(store: Store) -> None:
    write_run(store, RUN, MONDAY, DECISIONS, {"region": RegionOfInterest("mask.png", each=False, patches="regions/1")})
    assert sum(len(of_block.rows) for of_block in earlier_references(job(store, RUN), [])) == 3
