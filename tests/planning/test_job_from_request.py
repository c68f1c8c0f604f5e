"""What a user asked for becomes a job, or an error before any work."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from musc.layers import Layer
from planning import resources
from planning.job_from_request import names_of, require_name
from planning.lot_job import backbone_identity
from planning.machine_memory import MEMORY_SHARE
from storage.errors import NoImagesError
from tests.flat import prepare


def test_prepare_completes_with_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(resources, "host_memory_bytes", lambda: 1_000_003)
    job = prepare(str(tmp_path), backbone="texture")
    assert (job.folder, job.store, job.allocation.device) == (str(tmp_path), str(tmp_path / "musc-results"), "auto")
    assert (job.lot, job.category) == (tmp_path.name, tmp_path.name)
    assert job.allocation.memory_bytes == int(MEMORY_SHARE * 1_000_003)
    assert (job.settings.degrees, job.settings.interval, job.settings.rscin_windows) == (
        (1, 3, 5),
        (0.0, 0.3),
        (1, 2, 3),
    )
    assert job.backbone.image_size == (256, 256)
    assert job.backbone.layers == tuple(Layer(number, (32, 32), 24) for number in range(4))
    assert (job.allocation.block_images, job.allocation.store_aggregated, job.subsets) == (None, False, 1)


def test_prepare_calls_the_category_like_the_lot(tmp_path: Path) -> None:
    job = prepare(str(tmp_path), lot="night", backbone="texture")
    assert (job.lot, job.category) == ("night", "night")


def test_prepare_keeps_what_is_given(tmp_path: Path) -> None:
    given: dict[str, Any] = {"lot": "night", "category": "cap", "memory": "7KiB", "block_images": 24, "subsets": 3}
    job = prepare(
        str(tmp_path), "memory://out", backbone="texture", image_size=(64, 72), degrees=(3,), device="cpu", **given
    )
    assert (job.store, job.lot, job.category, job.allocation.memory_bytes) == ("memory://out", "night", "cap", 7168)
    assert (job.allocation.block_images, job.subsets, job.allocation.device) == (24, 3, "cpu")
    assert (job.backbone.grid, job.settings.degrees) == ((8, 9), (3,))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"degrees": (2,)}, "degree must be a positive odd number"),
        ({"rscin_windows": (0,)}, "rscin_windows must be positive"),
        ({"interval": (0.5, 0.5)}, "interval must be two fractions"),
        ({"device": "abacus"}, "device must name a device"),
        ({"memory": "plenty"}, "memory must be a positive size"),
        ({"block_images": 12}, "block_images must be a multiple of 8, got 12"),
        ({"lot": "a/b"}, "lot must be a plain name"),
        ({"category": ".."}, "category must be a plain name"),
        ({"image_size": 100}, "image_size must have a height that is a multiple of the patch size 8"),
        ({"layers": (4,)}, "layers must lie in 0 to 3"),
        ({"weights": "net.pt"}, "weights must be None for the backbone texture"),
        ({"engine": "ray"}, "engine must be 'inline', 'threads' or 'dask', got 'ray'"),
        ({"engine": "dask", "output": "memory://store"}, "output must be a place all workers reach"),
    ],
)
def test_prepare_refuses_by_name(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        prepare(str(tmp_path), **{"backbone": "texture", **changes})


def test_relative_folders_are_meant_from_where_the_command_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lot").mkdir()
    job = prepare("lot", "out", backbone="texture")
    assert (job.folder, job.store) == (str(tmp_path / "lot"), str(tmp_path / "out"))
    assert prepare(".", backbone="texture").lot == tmp_path.name


@pytest.mark.parametrize("form", ["monday-1", "runs/monday-1/", "out/runs/monday-1", "{store}/runs/monday-1"])
def test_earlier_runs_are_named_in_any_way(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = form.format(store=tmp_path / "out")
    assert prepare(".", "out", backbone="texture", references_from=(given,)).settings.references_from == (
        "runs/monday-1",
    )


def test_prepare_refuses_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(NoImagesError, match="absent, which does not exist"):
        prepare(str(tmp_path / "absent"), backbone="texture")


@pytest.mark.parametrize("name", ["a", "café 7", "night-2024.11.20", "[red]", "-", "x" * 100])
def test_names_of_folders_are_accepted(name: str) -> None:
    require_name("lot", name)


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a\\b", "a\nb", "a\0", "x" * 101])
def test_names_that_no_folder_can_have_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"lot must be a plain name .*; give another with --lot"):
        require_name("lot", name)


@pytest.mark.parametrize(
    ("folder", "lot"),
    [
        ("/data/night", "night"),
        ("/data/night/", "night"),
        ("night", "night"),
        ("C:\\data\\night\\", "night"),
        ("s3://bucket/lots/night", "night"),
    ],
)
def test_default_lot_and_product_are_the_folders_name(folder: str, lot: str) -> None:
    assert names_of(folder) == (lot, lot)


@pytest.mark.parametrize(
    ("folder", "given", "names"),
    [
        ("/lots/bolt/2026-11-21", {}, ("bolt-2026-11-21", "bolt")),
        ("/lots/bolt/20261121_late/", {}, ("bolt-20261121_late", "bolt")),
        ("s3://lots/bolt/2026-11-21", {}, ("bolt-2026-11-21", "bolt")),
        ("/lots/bolt/2026-02-30", {}, ("2026-02-30", "2026-02-30")),
        ("/lots/bolt/2026-11-21", {"lot": "trial"}, ("trial", "bolt")),
        ("/lots/bolt/2026-11-21", {"category": "nut"}, ("nut-2026-11-21", "nut")),
        ("/lots/bolt/monday", {"category": "nut"}, ("monday", "nut")),
        ("/lots/.trash/2026-11-21", {}, ("2026-11-21", "2026-11-21")),
        ("/2026-11-21", {}, ("2026-11-21", "2026-11-21")),
    ],
)
def test_dated_folder_is_a_night_of_the_product_that_holds_it(
    folder: str, given: dict[str, str], names: tuple[str, str]
) -> None:
    assert names_of(folder, **given) == names


def test_threshold_below_zero_is_taken_only_where_scores_can_be(tmp_path: Path) -> None:
    for kind in ("position", "balanced"):
        assert prepare(str(tmp_path), backbone="texture", image_score=kind, threshold=-0.5).decisions.threshold == -0.5
    for kind in ("max", "contrast"):
        with pytest.raises(ValueError, match=f"threshold must be 0 or more with image_score {kind}, .* got -0.5; give"):
            prepare(str(tmp_path), backbone="texture", image_score=kind, threshold=-0.5)


def test_identity_of_a_backbone_is_its_digest_not_its_path(tmp_path: Path) -> None:
    backbone = prepare(str(tmp_path), backbone="texture").backbone
    moved, other = replace(backbone, weights="/elsewhere"), replace(backbone, weights_digest="other")
    assert backbone_identity(moved) == backbone_identity(backbone) != backbone_identity(other)


def test_identity_of_a_job_is_what_decides_its_scores(tmp_path: Path) -> None:
    job = prepare(str(tmp_path), backbone="texture")
    assert (
        replace(
            job, store="s3://out", lot="other", allocation=replace(job.allocation, device="cuda:1", memory_bytes=1)
        ).score_identity
        == job.score_identity
    )
    for changed in (
        replace(job, subsets=2),
        replace(job, settings=job.settings.changed(degrees=(1,))),
        replace(job, settings=job.settings.changed(interval=(0.0, 0.2))),
        replace(job, settings=job.settings.changed(rscin_windows=(1, 8, 9))),
        replace(job, backbone=replace(job.backbone, layers=job.backbone.layers[:1])),
    ):
        assert changed.score_identity != job.score_identity


SECRET = "wJalrXUtnFEMI"


@pytest.mark.parametrize(
    "option",
    [
        {"output": f"s3://AKIA:{SECRET}@lots/store"},
        {"weights": f"https://host/net.pt?sig={SECRET}"},
        {"references_from": (f"s3://AKIA:{SECRET}@lots/store/runs/monday-1",)},
    ],
)
def test_prepare_refuses_secrets_without_repeating_them(option: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must not hold a password.*in the environment") as refused:
        prepare(str(tmp_path), **{"backbone": "texture", **option})
    assert SECRET not in str(refused.value)


def test_prepare_divides_the_machine_among_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "host_memory_bytes", lambda: 30_000)
    monkeypatch.setattr(resources, "thread_count", lambda: 7)
    job = prepare(str(tmp_path), "out", backbone="texture", engine="dask", workers=3, device="cpu")
    assert (job.allocation.memory_bytes, job.allocation.thread_count, job.allocation.engine.workers) == (5_000, 2, 3)
    assert Path(job.store).is_absolute()


def test_kept_proportions_decide_scores_only_by_their_size(tmp_path: Path) -> None:
    Image.new("RGB", (100, 50)).save(tmp_path / "1.png")
    job = prepare(tmp_path, tmp_path / "out", backbone="efficientnet-lite0", keep_aspect=True)
    assert job.backbone.image_size == job.settings.image_size == (224, 448)
    stated = prepare(tmp_path, tmp_path / "out", backbone="efficientnet-lite0", image_size=(224, 448))
    assert job.score_identity == stated.score_identity, "how the size was chosen decides no score"
    with pytest.raises(ValueError, match="keep_aspect must go without tile"):
        prepare(tmp_path, tmp_path / "out", keep_aspect=True, tile=320)
