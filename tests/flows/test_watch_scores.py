"""A watched photograph has the score of a lot of that one image, whatever options both take."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flows.pipelines.lot import score_folder
from musc.settings import WatchSettings
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request
from tests.flows.watched import SETTINGS, copied, draw, watch
from tests.plain_image_scores import plain_image_scores

UNEVEN = {"backbone": "efficientnet-lite0", "image_size": 96, "layers": None, "degrees": None}
"""Layers of 12 x 12, 6 x 6 and 3 x 3 patches."""
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "backbone": UNEVEN,
    "image_size": {"image_size": (64, 96)},
    "several sizes": {**UNEVEN, "image_size": "64,96", "match_radius": 3},
    "several sizes of earlier runs": {"image_size": "64,48x64", "image_score": "contrast", "references_from": True},
    "several sizes in a region": {**UNEVEN, "image_size": "64,96", "roi": True},
    "layers": {"layers": (0, 3)},
    "degrees": {"degrees": (5, 1, 3)},
    "interval": {"interval": (0.1, 0.7)},
    "match_radius": {**UNEVEN, "match_radius": 3},
    "match_radius of the whole grid": {**UNEVEN, "match_radius": 7},
    "image_score": {"image_score": "contrast"},
    "precision": {"precision": "bfloat16", **UNEVEN},
    "references_from": {**UNEVEN, "match_radius": 2, "references_from": True},
    "roi": {**UNEVEN, "match_radius": 2, "roi": True},
}
OF_THE_NETWORK_ALONE = {"weights", "quick_gelu", "position_antialias"}
"""Options that only say which network makes the features, and need other weights than those installed."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("parts"))


def test_watch_is_compared_with_a_lot_of_one_for_every_option() -> None:
    assert set(WatchSettings.model_fields) == OF_THE_NETWORK_ALONE | (CASES.keys() & WatchSettings.model_fields.keys())


@pytest.mark.parametrize("name", CASES)
def test_watch_gives_the_scores_of_lots_of_one(drawn: Path, tmp_path: Path, name: str) -> None:
    store, more = tmp_path / "store", {**SETTINGS, **CASES[name]}
    if more.get("roi"):
        mask = np.zeros((64, 64), dtype=np.uint8)
        mask[:, :40] = 255
        Image.fromarray(mask).save(tmp_path / "roi.png")
        more["roi"] = str(tmp_path / "roi.png")
    if more.pop("references_from", False):
        earlier = score_folder(lot_request(drawn / "good", store, **more, category="cap"), InlineRunner()).run
        more["references_from"] = (earlier,)
    table = watch(copied(tmp_path / "in", drawn, "0.png", "1.png"), drawn, store, 2, **more).set_index("path")
    for photograph in ("0.png", "1.png"):
        alone = copied(tmp_path / photograph[0], drawn, photograph)
        request = lot_request(alone, store, good=str(drawn / "good"), category="cap", **more)
        expected = Run(Store(str(store)), score_folder(request, InlineRunner()).run).scores().iloc[0]
        assert table.loc[photograph, "raw_score"] == pytest.approx(expected["raw_score"], abs=1e-6)


@pytest.mark.parametrize("kind", ["position", "balanced"])
def test_watch_takes_away_the_median_of_the_references(drawn: Path, tmp_path: Path, kind: str) -> None:
    store, given = tmp_path / "store", {"image_score": kind}
    table = watch(copied(tmp_path / "in", drawn, "0.png", "1.png"), drawn, store, 2, **given).set_index("path")
    (kept,) = store.glob("watch/*/references.json")
    known = json.loads(kept.read_text())
    own = Run(Store(str(store)), score_folder(lot_request(drawn / "good", store, **SETTINGS), InlineRunner()).run)
    np.testing.assert_allclose(known["usual"], np.median(own.patch_scores(), axis=0), atol=1e-6)
    raw, _ = plain_image_scores(own.patch_scores(), (64, 64), kind)
    np.testing.assert_allclose(sorted(known["raw_scores"]), sorted(raw), atol=1e-6)
    for photograph in ("0.png", "1.png"):
        alone = copied(tmp_path / photograph[0], drawn, photograph)
        request = lot_request(alone, store, good=str(drawn / "good"), **SETTINGS)
        maps = Run(Store(str(store)), score_folder(request, InlineRunner()).run).patch_scores()
        (expected,), _ = plain_image_scores(maps, (64, 64), kind, np.array([known["usual"]]))
        assert table.loc[photograph, "raw_score"] == pytest.approx(expected, abs=1e-6)


def test_photograph_like_no_reference_has_the_position_score_of_a_lot_of_one(drawn: Path, tmp_path: Path) -> None:
    store, more = tmp_path / "store", {**SETTINGS, "image_score": "position"}
    noise = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for folder in ("in", "alone"):
        (tmp_path / folder).mkdir()
        Image.fromarray(noise).save(tmp_path / folder / "odd.png")
    (row,) = watch(tmp_path / "in", drawn, store, 1, **more).to_dict("records")
    request = lot_request(tmp_path / "alone", store, good=str(drawn / "good"), **more)
    expected = Run(Store(str(store)), score_folder(request, InlineRunner()).run).scores().iloc[0]
    assert row["raw_score"] == pytest.approx(expected["raw_score"], abs=1e-6)


def test_watch_by_position_with_too_few_references_is_refused(drawn: Path, tmp_path: Path) -> None:
    few = copied(tmp_path / "few", drawn, "0.png", "1.png")
    with pytest.raises(ValueError, match=r"image_score position must have 8 references or more, .* got 2; add good"):
        watch(copied(tmp_path / "in", drawn, "0.png"), drawn, tmp_path, 1, image_score="position", good=str(few))


def test_watch_lists_what_lots_of_one_list(drawn: Path, tmp_path: Path) -> None:
    folder = copied(tmp_path / "in", drawn, "0.png", "1.png")
    table = watch(folder, drawn, tmp_path / "store", 2).set_index("path")
    for name in ("0.png", "1.png"):
        alone = copied(tmp_path / name[0], drawn, name)
        request = lot_request(alone, tmp_path / "store", good=str(drawn / "good"), **SETTINGS)
        expected = Run(Store(str(tmp_path / "store")), score_folder(request, InlineRunner()).run).scores().iloc[0]
        if np.isfinite(expected["threshold"]):  # a lot in which nothing stands out beyond doubt has none
            assert table.loc[name, "threshold"] == pytest.approx(expected["threshold"], abs=1e-4)
        # What is flagged in a lot depends on its highest score too, in a watched folder it must not: both list alike.
        assert (table.loc[name, "decision"] == "accepted") == (expected["decision"] == "accepted")
        assert abs(table.loc[name, "peak_x"] - expected["peak_x"]) <= 2
