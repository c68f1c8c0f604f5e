"""A lot from its folder to its results: the method in memory, resume, bad files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from reports.run_record import read_record
from storage.errors import NoImagesError
from storage.results.runs import Run
from storage.store import Store

SMALL = {"backbone": "texture", "image_size": 128, "layers": (0, 1), "degrees": (1, 3), "block_images": 8}
PREFECT = {"engine": "threads"}


def score(folder: Path, output: Path, **changes: Any) -> Run:
    from tests.flat import score_lot

    done = score_lot(str(folder), str(output), **{**SMALL, **changes})
    return Run(Store(str(output)), done.run)


def written(output: Path) -> dict[str, int]:
    """When each artefact was completed."""
    return {str(path.relative_to(output)): path.stat().st_mtime_ns for path in output.glob("*/*/complete.json")}


def test_score_lot_equals_method_in_memory(parts: Path, tmp_path: Path) -> None:
    import musc

    run = score(parts / "test", tmp_path)
    images = [Image.open(parts / "test" / path) for path in run.images()["path"]]
    settings = {name: SMALL[name] for name in ("image_size", "layers", "degrees")}
    expected = musc.score_images(images, "texture", **settings)
    # The store keeps features in float16, which is all the difference.
    np.testing.assert_allclose(run.patch_scores().reshape(len(images), -1), expected.patch_scores, atol=5e-4)
    by_path = run.scores().set_index("path").loc[run.images()["path"]]
    np.testing.assert_allclose(by_path["raw_score"], expected.raw_image_scores, atol=5e-4)


def test_score_lot_reference(reference_folder: Path, reference_stages: dict[str, np.ndarray], tmp_path: Path) -> None:
    open_clip.add_model_config(reference_folder / "ViT-tiny-refA.json")
    run = score(
        reference_folder / "dataset" / "magnetic_tile" / "test",
        tmp_path,
        backbone="ViT-tiny-refA",
        weights=str(reference_folder / "ViT-tiny-refA.pt"),
        image_size=112,
        layers=None,
        degrees=(1, 3, 5),
        quick_gelu=False,
    )
    listed = json.loads((reference_folder / "reference.json").read_text())["paths"]
    paths = [path.removeprefix("magnetic_tile/test/") for path in listed]
    rows = [run.images()["path"].tolist().index(path) for path in paths]
    ours = run.patch_scores().reshape(len(rows), -1)[rows]
    np.testing.assert_allclose(ours, reference_stages["patch_scores"], atol=5e-4)
    by_path = run.scores().set_index("path").loc[paths]
    np.testing.assert_allclose(by_path["score"], reference_stages["image_scores_rscin_1_2_3"], atol=5e-3)


@pytest.mark.usefixtures("prefect_server")
def test_score_lot_again_computes_nothing(parts: Path, tmp_path: Path) -> None:
    first = score(parts / "test", tmp_path, **PREFECT)
    before = written(tmp_path)
    second = score(parts / "test", tmp_path, **PREFECT)
    assert second.path == first.path
    assert written(tmp_path) == before


@pytest.mark.usefixtures("prefect_server")
def test_score_lot_remakes_what_was_lost(parts: Path, tmp_path: Path) -> None:
    """Prefect remembers the tasks as done; what lies in the store counts."""
    run = score(parts / "test", tmp_path, **PREFECT)
    scores = (tmp_path / run.path / "scores.parquet").read_bytes()
    before = written(tmp_path)
    block, *_ = sorted((tmp_path / "features").iterdir())
    chunk = next(path for path in block.rglob("c/*/*/*") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-7])
    shard, *_ = sorted((tmp_path / "patch_scores").iterdir())
    (shard / "complete.json").unlink()
    (tmp_path / run.path / "scores.parquet").unlink()
    assert score(parts / "test", tmp_path, **PREFECT).path == run.path
    after = written(tmp_path)
    remade = {name for name, when in after.items() if before.get(name) != when}
    assert remade == {f"{path.relative_to(tmp_path)}/complete.json" for path in (block, shard, tmp_path / run.path)}
    assert (tmp_path / run.path / "scores.parquet").read_bytes() == scores


def test_score_lot_new_image_redoes_only_its_block(parts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    pictures = sorted((parts / "test").rglob("*.png"))
    for number, picture in enumerate(pictures[:-1]):
        (folder / f"{number:03d}.png").write_bytes(picture.read_bytes())
    score(folder, tmp_path / "out")
    before = set((tmp_path / "out" / "features").iterdir())
    (folder / "999.png").write_bytes(pictures[-1].read_bytes())
    score(folder, tmp_path / "out")
    assert len(set((tmp_path / "out" / "features").iterdir()) - before) == 1


def test_score_lot_division_does_not_change_scores(parts: Path, tmp_path: Path) -> None:
    whole = score(parts / "test", tmp_path)
    from musc.plan.shard_memory import shard_bytes

    memory = shard_bytes(5, 19, 256, 24)
    divided = score(parts / "test", tmp_path, memory=str(memory), lot="divided")
    assert len(read_record(divided).keys.patch_scores) == 4 * len(read_record(whole).keys.patch_scores)
    np.testing.assert_allclose(divided.patch_scores(), whole.patch_scores(), atol=1e-6)


def test_score_lot_stored_aggregation_changes_no_byte(parts: Path, tmp_path: Path) -> None:
    inside = score(parts / "test", tmp_path)
    kept = score(parts / "test", tmp_path / "kept", store_aggregated=True)
    assert len(list((tmp_path / "kept" / "aggregated").iterdir())) == 3 * 4
    assert kept.path == inside.path, "resources are no part of a run's identity"
    np.testing.assert_array_equal(kept.patch_scores(), inside.patch_scores())
    assert kept.scores().equals(inside.scores())
    assert read_record(kept).keys.patch_scores == read_record(inside).keys.patch_scores


def test_score_lot_bad_files_become_rows(parts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    pictures = sorted((parts / "test" / "good").glob("*.png"))
    for picture in pictures[:9]:
        (folder / picture.name).write_bytes(picture.read_bytes())
    (folder / "copy.png").write_bytes(pictures[0].read_bytes())
    (folder / "cut.png").write_bytes(pictures[10].read_bytes()[:-5000])
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("shift 2")
    run = score(folder, tmp_path / "out")
    status = run.images().set_index("path")["status"]
    assert status[["copy.png", "cut.png", "empty.png", "notes.txt"]].tolist() == [
        "duplicate",
        "unreadable",
        "unreadable",
        "not_an_image",
    ]
    assert sorted(run.scores()["path"]) == sorted(picture.name for picture in pictures[:9])
    assert len(run.patch_scores()) == 9


def test_score_lot_not_finite_features_are_left_out(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from musc import backbones
    from musc.backbones import Backbone, BackboneSpec, Features
    from tasks import extract

    real = backbones.build(backbones.resolve("texture", image_size=128, layers=(0, 1)), "cpu")

    def poisoned(pixels: torch.Tensor) -> Features:
        features = real.forward(pixels)
        features.patch_tokens[1][0, 5, 3] = torch.nan
        return features

    def load(spec: BackboneSpec, device: str) -> Backbone:
        return replace(real, forward=poisoned)

    monkeypatch.setattr(extract, "load_backbone", load)
    run = score(parts / "test", tmp_path)
    images = run.images()
    left_out = images.index[images["status"] == "not_finite"].tolist()
    assert left_out == [0, 8, 16]
    assert len(run.scores()) == len(images) - 3


def test_score_lot_refuses_before_any_work(parts: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="block_images must be a multiple of 8, got 12"):
        score(parts / "test", tmp_path / "out", block_images=12)
    assert not (tmp_path / "out").exists()


def test_score_lot_without_weights_says_so_once_and_plainly(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from musc.backbones import WeightsUnavailableError
    from tests.flat import score_lot

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WeightsUnavailableError, match=r"^weights 'openai' of ViT-B-32 must be on this machine"):
        score_lot(str(parts / "test"), str(tmp_path / "out"), backbone="ViT-B-32")
    assert not (tmp_path / "out" / "features").exists()


def test_score_lot_with_all_features_stored_needs_no_weights(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.runtime import loaded_backbones as models

    score(parts / "test", tmp_path)
    monkeypatch.setattr(models, "load_backbone", lambda *given: pytest.fail("the backbone was loaded for nothing"))
    assert len(score(parts / "test", tmp_path, rscin_windows=(1,)).scores()) == 19


@pytest.mark.usefixtures("prefect_server")
def test_score_lot_keeps_what_finished_when_a_task_fails(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from planning.task_specs import ScoreSpec
    from tasks import score as scoring
    from tasks.runtime.run_stage import StageFailedError

    real = scoring.shard_scores

    def failing(spec: ScoreSpec) -> torch.Tensor:
        if spec.shard.layer == 1:
            raise ValueError("planted fault")
        return real(spec)

    with monkeypatch.context() as patch:
        patch.setattr(scoring, "shard_scores", failing)
        with pytest.raises(StageFailedError, match=r"score failed for 1 of 2 .* layer 1 images .*planted fault"):
            score(parts / "test", tmp_path, **PREFECT)
    before = written(tmp_path)
    assert sum(name.startswith("patch_scores") for name in before) == 1
    (lease,) = (tmp_path / "leases").iterdir()
    assert {name.removesuffix("/complete.json") for name in before} <= set(json.loads(lease.read_text())["paths"])
    score(parts / "test", tmp_path, **PREFECT)
    assert before.items() <= written(tmp_path).items()
    assert not list((tmp_path / "leases").iterdir())


def test_score_lot_against_a_sample_and_within_a_window(parts: Path, tmp_path: Path) -> None:
    full = score(parts / "test", tmp_path)
    same = score(parts / "test", tmp_path, references=18, match_radius=15)
    np.testing.assert_array_equal(same.patch_scores(), full.patch_scores())
    sampled = score(parts / "test", tmp_path, references=6, seed=1)
    near = score(parts / "test", tmp_path, match_radius=2)
    assert len({run.path for run in (full, same, sampled, near)}) == 4
    assert (near.patch_scores() >= full.patch_scores() - 1e-6).all()
    assert read_record(sampled).job.settings.references == 6


def test_score_lot_of_one_image_against_an_earlier_run(parts: Path, tmp_path: Path) -> None:
    earlier = score(parts / "test", tmp_path / "out", lot="monday")
    folder = tmp_path / "one"
    folder.mkdir()
    with Image.open(next(iter(sorted((parts / "test" / "good").glob("*.png"))))) as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "new.png")
    with pytest.raises(NoImagesError, match="at least 2 usable images"):
        score(folder, tmp_path / "out")
    run = score(folder, tmp_path / "out", references_from=(earlier.path,))
    assert run.patch_scores().shape[0] == 1
    assert 0 < run.scores()["raw_score"].item() < 1
    record = read_record(run)
    accepted = (earlier.scores()["decision"] == "accepted").sum()
    assert record.job.settings.references_from == (earlier.path,)
    assert sum(len(of_block.rows) for of_block in record.earlier_references) == accepted
