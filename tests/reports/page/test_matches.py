"""Nearest normal-looking matches, against plain loops."""

from pathlib import Path

import numpy as np
import pytest

from musc.layers import Layer
from musc.lnamd import aggregate
from reports.page import matches
from reports.page.matches import Search, nearest_matches, searched_chunks
from storage.results.features import ArraySpec, LotFeatures, writing_block
from storage.store import Store

GRID, WIDTH, COUNT = (2, 3), 5, 21


@pytest.fixture
def tokens() -> np.ndarray:
    return np.random.default_rng(3).standard_normal((COUNT, 6, WIDTH)).astype(np.float16)


@pytest.fixture
def features(tmp_path: Path, tokens: np.ndarray) -> LotFeatures:
    store = Store(str(tmp_path))
    arrays = {"layer_01": ArraySpec((6, WIDTH), "float16")}
    with writing_block(store, "b", image_count=COUNT, arrays=arrays, chunk_images=8, attributes={}) as staging:
        for start in range(0, COUNT, 8):
            staging.write(start, {"layer_01": tokens[start : start + 8]})
    return LotFeatures(store, ("b",))


@pytest.mark.parametrize("region", [False, True], ids=["whole", "region"])
@pytest.mark.parametrize("degree", [1, 3])
def test_matches_equal_plain_loops(features: LotFeatures, tokens: np.ndarray, degree: int, region: bool) -> None:
    import torch

    answering = [position % 3 != 0 for position in range(COUNT)]
    queries = [(0, 4), (7, 1)]
    unit = aggregate(torch.from_numpy(tokens), GRID, degree).double().numpy()
    outside = np.random.default_rng(5).random((COUNT, 6)) < (0.6 if region else 0)
    outside[:, 2] = False
    given = {"layer": 1, "degree": degree, "grid": GRID, "count": 4}
    found = nearest_matches(features, queries, answering, **given, outside=outside if region else None)
    for (image, patch), ours in zip(queries, found, strict=True):
        candidates = []
        for other in range(COUNT):
            if answering[other] and other != image:
                distances = [
                    np.inf if outside[other, place] else np.linalg.norm(unit[image, patch] - unit[other, place])
                    for place in range(6)
                ]
                candidates.append((min(distances), other, int(np.argmin(distances))))
        expected = sorted(candidates)[:4]
        assert [(match.image, match.patch) for match in ours] == [(other, place) for _, other, place in expected]
        np.testing.assert_allclose([match.distance for match in ours], [near for near, _, _ in expected], atol=1e-3)


def test_no_answering_image_gives_no_match(features: LotFeatures) -> None:
    assert nearest_matches(features, [(0, 0)], [False] * COUNT, layer=1, degree=1, grid=GRID) == [[]]


def test_same_place_is_that_of_answering_images_within_the_region_spread_over_the_lot(features: LotFeatures) -> None:
    outside = np.zeros((COUNT, 6), dtype=bool)
    outside[12, 4] = True
    answering = tuple(image % 2 == 0 for image in range(COUNT))
    search = Search(features, Layer(1, GRID, WIDTH), 1, answering, outside)
    there = [image for image in range(COUNT) if image % 2 == 0 and image != 12]
    assert search.same_place(4, 50) == [(image, 4) for image in there]
    assert search.same_place(4, 3) == [(there[0], 4), (there[4], 4), (there[-1], 4)]
    assert len(search.same_place(3, 50)) == len(there) + 1


def test_searched_chunks_skip_those_without_answering_images() -> None:
    answering = [False] * 8 + [True] + [False] * 7 + [True] * 4
    assert searched_chunks(answering) == [(8, 16), (16, 20)]


def test_searched_chunks_of_a_large_lot_are_few_and_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matches, "MAX_CHUNKS", 3)
    assert searched_chunks([True] * 80) == [(0, 8), (32, 40), (72, 80)]
