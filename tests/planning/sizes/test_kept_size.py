"""Kept proportions: the commonest of a lot, and one size for all nights of a product."""

from pathlib import Path

import pytest
from PIL import Image

from planning.lot_job import LotJob
from planning.nights.due_lots import night_job
from planning.requests import NightRequest, request_of
from storage.images.upright_shapes import LOOKED_AT, upright_shapes
from storage.products.settled_sizes import settle_size, settled_sizes
from storage.store import Store
from tests.flat import prepare

WIDE, NARROW = (500, 1280), (500, 1190)
"""Height and width of photographs that come out at 192 x 512 and 192 x 480 pixels."""


def draw(folder: Path, *shapes: tuple[int, int]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (height, width) in enumerate(shapes):
        Image.new("L", (width, height)).save(folder / f"{number}.png")
    return folder


def job_of(folder: Path, tmp_path: Path) -> LotJob:
    return prepare(folder, tmp_path / "out", category="cap", backbone="efficientnet-lite0", keep_aspect=True)


def settle(job: LotJob) -> None:
    assert job.kept_sizes
    settle_size(Store(job.store), job.kept_sizes[0].key, job.kept_sizes[0].size, job.lot)


def test_the_commonest_proportions_count_and_not_the_first_file(tmp_path: Path) -> None:
    job = job_of(draw(tmp_path / "lot", WIDE, NARROW, NARROW), tmp_path)
    assert job.backbone.image_size == (192, 480)
    assert job.kept_sizes
    assert job.kept_sizes[0].text == "192 x 480 pixels, the proportions of 2 of 3 photographs looked at"


def test_photographs_are_looked_at_upright_and_bad_files_left_out(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (50, 100)).save(tmp_path / "1.jpg", exif=exif)
    (tmp_path / "0.png").write_bytes(b"no image")
    assert upright_shapes(str(tmp_path)) == [(50, 100)]


def test_few_photographs_of_a_large_lot_are_opened_and_spread_over_it(tmp_path: Path) -> None:
    draw(tmp_path, *((8, 8 + number) for number in range(100)))
    shapes = upright_shapes(str(tmp_path))
    assert len(shapes) == LOOKED_AT
    assert len(set(shapes)) == LOOKED_AT


def test_later_lots_take_the_size_that_the_first_settled(tmp_path: Path) -> None:
    settle(job_of(draw(tmp_path / "first", WIDE), tmp_path))
    later = job_of(draw(tmp_path / "later", NARROW), tmp_path)
    assert later.backbone.image_size == (192, 512)
    assert later.kept_sizes
    assert later.kept_sizes[0].text == "192 x 512 pixels, as settled by an earlier lot of cap"


def test_other_proportions_have_a_size_of_their_own_that_is_settled_too(tmp_path: Path) -> None:
    settle(job_of(draw(tmp_path / "first", WIDE), tmp_path))
    turned = job_of(draw(tmp_path / "turned", WIDE[::-1]), tmp_path)
    assert turned.backbone.image_size == (512, 192)
    settle(turned)
    assert turned.kept_sizes
    assert settled_sizes(Store(turned.store), turned.kept_sizes[0].key) == [(192, 512), (512, 192)]


def test_another_product_or_network_size_settles_its_own(tmp_path: Path) -> None:
    settle(job_of(draw(tmp_path / "first", WIDE), tmp_path))
    folder = draw(tmp_path / "later", NARROW)
    options = {"backbone": "efficientnet-lite0", "keep_aspect": True}
    assert prepare(folder, tmp_path / "out", category="nut", **options).backbone.image_size == (192, 480)
    assert prepare(folder, tmp_path / "out", category="cap", image_size=640, **options).backbone.image_size != (
        192,
        512,
    )


def test_lot_scored_again_keeps_the_size_it_settled(tmp_path: Path) -> None:
    job = job_of(draw(tmp_path / "lot", WIDE, NARROW, NARROW), tmp_path)
    settle(job)
    draw(tmp_path / "lot", WIDE, WIDE, NARROW)
    assert job_of(tmp_path / "lot", tmp_path).backbone.image_size == job.backbone.image_size


@pytest.mark.parametrize("shape", [WIDE, NARROW])
def test_key_of_a_night_depends_on_no_file(tmp_path: Path, shape: tuple[int, int]) -> None:
    draw(tmp_path / "lots" / "cap" / "1", shape)
    given = {"root": str(tmp_path / "lots"), "output": str(tmp_path), "backbone": "texture", "keep_aspect": True}
    assert night_job(request_of(NightRequest, given)).backbone.image_size == (256, 256)
