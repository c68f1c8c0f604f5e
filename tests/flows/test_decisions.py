"""Decisions, regions and groups of a scored lot, as the tables and the record of its run hold them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.systematic import draw_repeated
from reports.run_record import read_record
from storage.datasets.synthetic.lot import draw_part
from storage.results.runs import Run
from storage.store import Store

FLAWED = 5


@pytest.fixture(scope="module")
def flawed_parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """19 good parts, and 5 with the same stain at the same place."""
    folder = tmp_path_factory.mktemp("parts")
    for number in range(19):
        Image.fromarray(draw_part("cast", None, number=number, size=256)[0]).save(folder / f"good-{number:02d}.png")
    for number in range(FLAWED):
        picture, _ = draw_repeated("cast", "stain", number=number, size=256)
        Image.fromarray(picture).resize((384, 256)).save(folder / f"stained-{number}.png")
    return folder


def score(folder: Path, output: Path, **changes: Any) -> Run:
    from tests.flat import score_lot

    small = {"backbone": "efficientnet-lite0", "layers": (5, 6), "degrees": (1, 3), "block_images": 8}
    done = score_lot(str(folder), str(output), **{**small, **changes})
    return Run(Store(str(output)), done.run)


def test_run_with_a_shared_flaw_says_so_and_scores_without_it_on_request(flawed_parts: Path, tmp_path: Path) -> None:
    plain = score(flawed_parts, tmp_path)
    scores = plain.scores().set_index("path")
    stained = [path for path in scores.index if path.startswith("stained")]
    assert scores.loc[stained, "group"].tolist() == [1] * FLAWED
    assert scores["group"].sum() == FLAWED
    (group,) = read_record(plain).groups
    assert (group.group, sorted(group.paths)) == (1, sorted(stained))
    assert sorted(group.image_ids) == sorted(scores.loc[stained, "image_id"])
    assert group.patch_count > 0
    assert any("5 of 24 images have unusual places" in text for text in read_record(plain).warnings)

    rescored = score(flawed_parts, tmp_path, exclude_groups=True)
    assert rescored.path != plain.path
    after = rescored.scores().set_index("path")
    gain = after.loc[stained, "raw_score"] / scores.loc[stained, "raw_score"]
    assert (gain > 1.02).all()
    assert gain.mean() > 1.15  # 4 of the 6 nearest references held the same stain
    good = [path for path in scores.index if path.startswith("good")]
    np.testing.assert_allclose(after.loc[good, "raw_score"], scores.loc[good, "raw_score"], atol=0.02)
    assert any("left out of the references" in text for text in read_record(rescored).warnings)


def test_run_scored_without_a_shared_flaw_keeps_its_earlier_references(flawed_parts: Path, tmp_path: Path) -> None:
    monday = tmp_path / "monday"
    monday.mkdir()
    for number in range(30, 34):
        Image.fromarray(draw_part("cast", None, number=number, size=256)[0]).save(monday / f"{number}.png")
    earlier = score(monday, tmp_path, threshold=2.0)
    alone = score(flawed_parts, tmp_path, exclude_groups=True)
    beside = score(flawed_parts, tmp_path, exclude_groups=True, references_from=(earlier.path,))
    assert any("left out of the references" in text for text in read_record(beside).warnings)
    assert (beside.patch_scores() != alone.patch_scores()).any(axis=(1, 2)).all()


def test_run_flags_what_reaches_the_threshold_and_outlines_it(flawed_parts: Path, tmp_path: Path) -> None:
    whole = score(flawed_parts, tmp_path).scores()
    threshold = float(whole["raw_score"].nlargest(4).iloc[-1])
    run = score(flawed_parts, tmp_path, threshold=threshold, review_budget=3)
    scores, record, boxes = run.scores(), read_record(run), run.boxes()
    assert set(scores["decision"]) == {"flagged", "accepted"}, "the budget leaves none to suspect"
    flagged = scores[scores["decision"] == "flagged"]
    assert set(flagged["path"]) == set(whole.nlargest(3, "raw_score")["path"])
    assert record.decision.flagged_count == 3
    assert record.decision.fixed_threshold == threshold
    assert (scores["threshold"] == record.decision.threshold).all()
    assert any("review budget" in text for text in record.warnings)
    assert set(boxes["path"]) == set(flagged["path"])
    sizes = run.images().set_index("path").loc[boxes["path"], ["width", "height"]].to_numpy()
    assert (boxes[["x", "y"]].to_numpy() >= 0).all()
    assert (boxes[["x", "y"]].to_numpy() + boxes[["width", "height"]].to_numpy() <= sizes).all()
    peaks = boxes.groupby("path")["peak_score"].max()
    np.testing.assert_allclose(peaks, flagged.set_index("path").loc[peaks.index, "raw_score"], rtol=1e-6)
