"""The smallest flaw chooses image size or tiles: by one rule, the same for all nights of a product, refused by name."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from musc.layers import BackboneSpec, Layer
from planning.lot_job import LotJob
from planning.nights.due_lots import night_job
from planning.requests import LotRequest, NightRequest, WatchRequest, request_of
from planning.sizes.smallest_flaw import LEAST, PATCHES, least_without_tiles, size_for_flaw
from storage.products.settled_sizes import settle_size
from storage.store import Store
from tests.flat import benchmark_jobs, prepare

LITE = {"backbone": "efficientnet-lite0"}
NET = BackboneSpec("net", "tag", "digest", (320, 320), (Layer(0, (40, 40), 8), Layer(1, (10, 10), 8)), 8)
"""A network of 320 pixels, with patches of 8 and 32."""


def draw(folder: Path, *shapes: tuple[int, int]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (height, width) in enumerate(shapes):
        Image.new("L", (width, height)).save(folder / f"{number}.png")
    return folder


def chosen(job: LotJob) -> tuple[tuple[int, int], int | None]:
    return job.backbone.image_size, job.settings.tile


def covered(flaw: int, shape: tuple[int, int], **kept: bool) -> float:
    """Finest patches that a flaw covers along the side where it covers fewer."""
    found = size_for_flaw(flaw, shape, NET, **kept)
    size = (found.image_size or NET.image_size)[0]
    length = found.tile or ((shape[0] * shape[1]) ** 0.5 if kept else max(shape))
    return flaw * size / length / 8


@pytest.mark.parametrize("shape", [(900, 900), (500, 1280), (2048, 2448), (64, 64)])
@pytest.mark.parametrize("kept", [{}, {"keep_aspect": True}])
def test_flaw_of_every_size_covers_enough_patches(shape: tuple[int, int], kept: dict[str, bool]) -> None:
    for flaw in range(LEAST, min(shape)):
        assert covered(flaw, shape, **kept) >= PATCHES, flaw


def test_no_smaller_size_would_do() -> None:
    for flaw in range(LEAST, 900):
        found = size_for_flaw(flaw, (900, 900), NET)
        if found.image_size and not found.tile:
            assert flaw * (found.image_size[0] - 32) / 900 / 8 < PATCHES, flaw
            assert found.image_size[0] <= 640


def test_larger_flaws_never_need_more() -> None:
    found = [size_for_flaw(flaw, (900, 900), NET) for flaw in range(LEAST, 900)]
    kinds = [(0 if one.tile else 1, one.tile or -(one.image_size or (320, 320))[0]) for one in found]
    assert kinds == sorted(kinds)
    assert found[-1].image_size is None, "the usual size is enough for the largest"


def test_sentence_says_what_was_chosen_and_why() -> None:
    assert size_for_flaw(100, (900, 900), NET).text == (
        "for flaws of 100 pixels, photographs of 900 x 900 are seen whole at 320 pixels, the usual size, where such a "
        "flaw covers 4.4 patches along a side"
    )
    assert (
        "are seen whole at 576 pixels, where such a flaw covers 2.6 patches" in size_for_flaw(32, (900, 900), NET).text
    )
    tiles = size_for_flaw(16, (900, 900), NET)
    assert "are seen as 16 tiles of 256 pixels, each at 320, where such a flaw covers 2.5 patches" in tiles.text
    assert tiles.text.endswith("; photographs of more pixels would show more")


def test_largest_whole_flaw_is_where_tiles_begin() -> None:
    least = least_without_tiles((900, 900), NET)
    assert size_for_flaw(least, (900, 900), NET).tile is None
    assert size_for_flaw(least - 1, (900, 900), NET).tile is not None


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        (1, r"smallest_flaw must be at least 4 pixels of the photograph, got 1: .*; take photographs of more pixels"),
        (60, r"smallest_flaw must be smaller than the photographs, 80 x 60 pixels, got 60; give the flaw's size"),
        (2000, r"smallest_flaw must be smaller than the photographs, 80 x 60 pixels, got 2000"),
    ],
)
def test_flaw_that_photographs_cannot_show_is_refused(flaw: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        prepare(draw(tmp_path / "lot", (60, 80)), tmp_path / "out", smallest_flaw=flaw, **LITE)


@pytest.mark.parametrize(("flaw", "given"), [(32, {"image_size": 576}), (16, {"tile": 256, "image_size": 320})])
def test_run_is_that_of_the_settings_chosen(flaw: int, given: dict[str, Any], tmp_path: Path) -> None:
    folder = draw(tmp_path / "lot", (900, 900))
    by_flaw = prepare(folder, tmp_path / "out", smallest_flaw=flaw, **LITE)
    explicit = prepare(folder, tmp_path / "out", **given, **LITE)
    assert by_flaw.flaw_size
    assert by_flaw.identity == explicit.identity


@pytest.mark.parametrize(("name", "value"), [("image_size", "320,512"), ("tile", 64)])
def test_explicit_size_beside_a_flaw_is_refused(name: str, value: Any) -> None:
    for kind in (LotRequest, WatchRequest) if name == "image_size" else (LotRequest,):
        with pytest.raises(ValueError, match=f"{name} must go without smallest_flaw, which chooses it, got {value}"):
            request_of(kind, {"folder": ".", "smallest_flaw": 8, name: value})


def test_tiles_that_cannot_be_are_refused_with_the_flaw_that_needs_none(tmp_path: Path) -> None:
    folder = draw(tmp_path / "lot", (900, 900))
    for name, value in (("good", str(folder)), ("exclude_groups", True), ("keep_aspect", True)):
        message = f"smallest_flaw must be at least 29 pixels in these photographs with {name}, got 16: .* need tiles"
        with pytest.raises(ValueError, match=message):
            prepare(folder, tmp_path / "out", smallest_flaw=16, **{name: value}, **LITE)
        assert chosen(prepare(folder, tmp_path / "out", smallest_flaw=29, **{name: value}, **LITE))[1] is None


def test_commonest_photographs_choose_and_those_of_earlier_nights_go_before(tmp_path: Path) -> None:
    given = {"category": "cap", "smallest_flaw": 32, **LITE}
    first = prepare(draw(tmp_path / "a", (900, 900), (700, 700), (900, 900)), tmp_path / "out", **given)
    assert chosen(first) == ((576, 576), None)
    assert first.flaw_size
    settle_size(Store(first.store), first.flaw_size.key, first.flaw_size.photograph, "a")
    near = prepare(draw(tmp_path / "b", (850, 860)), tmp_path / "out", **given)
    assert chosen(near) == ((576, 576), None), "as the night before, not 544"
    assert chosen(prepare(tmp_path / "b", tmp_path / "out", **{**given, "category": "nut"})) == ((544, 544), None)
    assert chosen(prepare(draw(tmp_path / "c", (600, 600)), tmp_path / "out", **given)) == ((384, 384), None)


def test_good_photographs_choose_where_the_folder_is_empty_still(tmp_path: Path) -> None:
    draw(tmp_path / "good", (900, 900))
    watched = request_of(
        WatchRequest,
        {"folder": str(draw(tmp_path / "new")), "good": str(tmp_path / "good"), "smallest_flaw": 32, **LITE},
    )
    from planning.job_from_request import prepare as prepared

    assert chosen(prepared(watched.lot())) == ((576, 576), None)


def test_nights_with_another_flaw_are_due_again(tmp_path: Path) -> None:
    draw(tmp_path / "lots" / "cap" / "1", (900, 900))
    jobs = [
        night_job(request_of(NightRequest, {"root": str(tmp_path / "lots"), "output": str(tmp_path), **LITE, **more}))
        for more in ({}, {"smallest_flaw": 32}, {"smallest_flaw": 16})
    ]
    assert [job.flaw_size and job.flaw_size.flaw for job in jobs] == [None, 32, 16]
    assert {job.backbone.image_size for job in jobs} == {(320, 320)}, "each product chooses by its own photographs"


def test_each_category_of_a_benchmark_chooses_by_its_own_photographs(tmp_path: Path) -> None:
    for name, side in (("cap", 900), ("nut", 600)):
        draw(tmp_path / name / "test" / "good", *[(side, side)] * 2)
        draw(tmp_path / name / "test" / "bad", (side, side))
        draw(tmp_path / name / "ground_truth" / "bad")
        Image.new("L", (side, side), 255).save(tmp_path / name / "ground_truth" / "bad" / "0_mask.png")
    jobs = benchmark_jobs("folder", tmp_path, tmp_path.parent / "out", smallest_flaw=32, backbone="efficientnet-lite0")
    assert {job.job.category: chosen(job.job)[0] for job in jobs} == {"cap": (576, 576), "nut": (384, 384)}
