"""Shards against samples, earlier lots and within a match_radius, read from a store, score as the plain loops say."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from musc.layers import Layer
from musc.lnamd import aggregate
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shards import Shard
from planning.task_specs import BlockRows, RegionRows, ScoreSpec
from storage.results.features import ArraySpec, writing_block
from storage.results.groups import write_groups
from storage.results.regions_of_interest import write_regions
from storage.store import Store
from tasks.score import shard_scores

GRID, WIDTH, N = (3, 2), 5, 13
EARLIER = (BlockRows("features/old", (2, 9)), BlockRows("features/older", (0,)))
SAMPLE = (7, 1, 12, 3, 8, 4)
INTERVAL = (0.0, 0.5)
DEGREES = (1, 3)


@pytest.fixture(scope="module")
def tokens() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return {name: torch.randn(count, 6, WIDTH).half() for name, count in (("new", N), ("old", 10), ("older", 3))}


@pytest.fixture(scope="module")
def store(tokens: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(str(tmp_path_factory.mktemp("store")))
    arrays = {"layer_07": ArraySpec((6, WIDTH), "float16")}
    for name, values in tokens.items():
        with writing_block(
            store, f"features/{name}", image_count=len(values), arrays=arrays, chunk_images=8, attributes={}
        ) as staging:
            for start in range(0, len(values), 8):
                staging.write(start, {"layer_07": values[start : start + 8].numpy()})
    return store


@pytest.fixture(scope="module", params=[False, True], ids=["products", "pooled"])
def spec(store: Store, request: pytest.FixtureRequest) -> ScoreSpec:
    shard, blocks = Shard(7, 0, N), ("features/new",)
    comparison = LayerComparison(Layer(7, GRID, WIDTH), DEGREES, pooled=request.param, device="cpu")
    return ScoreSpec("key", "lot", store.url, blocks, comparison, (0, N), shard, INTERVAL)


def separate(spec: ScoreSpec) -> ScoreSpec:
    return replace(spec, comparison=replace(spec.comparison, pooled=False))


def within(spec: ScoreSpec, match_radius: int | None) -> ScoreSpec:
    return replace(spec, comparison=replace(spec.comparison, match_radius=match_radius))


def looped_scores(
    tokens: dict[str, torch.Tensor],
    sample: tuple[int, ...],
    earlier: tuple[BlockRows, ...],
    match_radius: int,
    excluded: np.ndarray | dict[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Mean over the degrees, (N, P) in float64.

    Each image leaves out itself, or the last of the sample; excluded patches lie out of reach.
    """
    each = [looped_degree_scores(tokens, degree, sample, earlier, match_radius, excluded) for degree in DEGREES]
    return np.mean(each, axis=0)


def looped_degree_scores(
    tokens: dict[str, torch.Tensor],
    degree: int,
    sample: tuple[int, ...],
    earlier: tuple[BlockRows, ...],
    match_radius: int,
    excluded: np.ndarray | dict[str, np.ndarray] | None,
) -> np.ndarray:
    """The scores at one degree."""
    unit = {name: aggregate(values, GRID, degree).double().numpy() for name, values in tokens.items()}
    by_block = excluded if isinstance(excluded, dict) else {} if excluded is None else {"new": excluded}
    usable = {name: values.copy() for name, values in unit.items()}
    for name, mask in by_block.items():
        usable[name][mask] = np.inf
    candidates = usable["new"]
    older = [usable[rows.block.removeprefix("features/")][row] for rows in earlier for row in rows.rows]
    places = [divmod(patch, GRID[1]) for patch in range(6)]
    scores = np.zeros((N, 6))
    for query, patch in np.ndindex(N, 6):
        left_out = query if query in sample else sample[-1]
        nearest = []
        for other in [candidates[image] for image in sample if image != left_out] + older:
            near = [
                other[one]
                for one, (row, column) in enumerate(places)
                if max(abs(row - places[patch][0]), abs(column - places[patch][1])) <= match_radius
            ]
            nearest.append(min(np.sqrt(((unit["new"][query, patch] - candidate) ** 2).sum()) for candidate in near))
        scores[query, patch] = np.mean(sorted(nearest)[: max(1, len(nearest) // 2)])
    return scores


@pytest.mark.parametrize("bounds", [(0, N), (0, 1, 4, 9, N)], ids=["whole", "divided"])
@pytest.mark.parametrize("match_radius", [None, 0, 1])
@pytest.mark.parametrize("earlier", [(), EARLIER], ids=["lot", "earlier"])
@pytest.mark.parametrize("sample", [None, SAMPLE], ids=["all", "sample"])
def test_shard_scores_oracle(
    store: Store,
    tokens: dict[str, torch.Tensor],
    spec: ScoreSpec,
    sample: tuple[int, ...] | None,
    earlier: tuple[BlockRows, ...],
    match_radius: int | None,
    bounds: tuple[int, ...],
) -> None:
    given = replace(within(spec, match_radius), sample=sample, earlier=earlier)
    parts = [shard_scores(replace(given, shard=Shard(7, *part))) for part in pairwise(bounds)]
    expected = looped_scores(tokens, sample or tuple(range(N)), earlier, 99 if match_radius is None else match_radius)
    np.testing.assert_allclose(torch.cat(parts), expected, atol=1e-5)


def test_shard_scores_leave_out_what_a_group_shares_and_nothing_of_earlier_lots(
    store: Store, tokens: dict[str, torch.Tensor], spec: ScoreSpec
) -> None:
    shared = np.repeat(np.random.default_rng(1).random((N, 3)) < 0.5, 2, axis=1)  # at degree 3 a row's two are alike
    shared[:, :2] = False  # so that every image keeps a patch to match
    path = f"groups/key-{spec.comparison.pooled}"
    write_groups(store, path, np.ones(N, dtype=np.int64), shared.reshape(N, *GRID))
    given = replace(spec, groups=path, earlier=EARLIER)
    ours = shard_scores(given)
    expected = looped_scores(tokens, tuple(range(N)), EARLIER, 99, shared)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("bounds", [(0, N), (0, 4, 9, N)], ids=["whole", "divided"])
@pytest.mark.parametrize("sample", [None, SAMPLE], ids=["all", "sample"])
def test_shard_scores_inside_a_region_are_those_of_the_inside_alone(
    store: Store,
    tokens: dict[str, torch.Tensor],
    spec: ScoreSpec,
    sample: tuple[int, ...] | None,
    bounds: tuple[int, ...],
) -> None:
    inside = np.random.default_rng(5).random((4, *GRID)) < 0.5
    inside[:, 1, 0] = True
    path = f"regions/{spec.comparison.pooled}-{len(bounds)}-{sample is None}"
    write_regions(store, path, list("abcd"), {GRID: inside})
    own, further = tuple(np.arange(N) % 3), (3, 0, 1)
    given = replace(spec, sample=sample, earlier=EARLIER, region=RegionRows(path, own, further))
    parts = [shard_scores(replace(given, shard=Shard(7, *part))) for part in pairwise(bounds)]
    outside = {"new": ~inside[list(own)].reshape(N, 6), "old": np.zeros((10, 6), bool), "older": np.zeros((3, 6), bool)}
    for (name, row), region in zip((("old", 2), ("old", 9), ("older", 0)), further, strict=True):
        outside[name][row] = ~inside[region].ravel()
    expected = looped_scores(tokens, sample or tuple(range(N)), EARLIER, 99, outside)
    expected[outside["new"]] = np.nan
    np.testing.assert_allclose(torch.cat(parts), expected, atol=1e-5)


def test_shard_scores_lone_image_against_an_earlier_lot(
    store: Store, tokens: dict[str, torch.Tensor], spec: ScoreSpec
) -> None:
    alone = replace(spec, lot_range=(5, 6), shard=Shard(7, 5, 6), earlier=EARLIER[:1])
    ours = shard_scores(alone)
    expected = torch.zeros(6, dtype=torch.float64)
    for degree in DEGREES:
        images = (("new", 5), ("old", 2), ("old", 9))
        query, *others = (aggregate(tokens[name], GRID, degree)[row] for name, row in images)
        nearest = torch.stack([torch.cdist(query.double(), other.double()).amin(dim=1) for other in others])
        expected += nearest.amin(dim=0) / len(DEGREES)
    np.testing.assert_allclose(ours[0], expected, atol=1e-5)


def test_shard_scores_earlier_lots_are_aggregated_though_the_lot_is_stored_so(
    store: Store, tokens: dict[str, torch.Tensor], spec: ScoreSpec
) -> None:
    arrays, paths = {"layer_07": ArraySpec((6, WIDTH), "float32")}, []
    for degree in DEGREES:
        made = aggregate(tokens["new"], GRID, degree).numpy()
        paths.append(f"aggregated/{degree}-{spec.comparison.pooled}")
        with writing_block(store, paths[-1], image_count=N, arrays=arrays, chunk_images=8, attributes={}) as staging:
            for start in range(0, N, 8):
                staging.write(start, {"layer_07": made[start : start + 8]})
    stored = replace(separate(spec), aggregated=tuple((path,) for path in paths), earlier=EARLIER)
    ours = shard_scores(stored)
    expected = looped_scores(tokens, tuple(range(N)), EARLIER, 99)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


@pytest.mark.parametrize("grid", [(6, 4), (3, 1)], ids=["finer", "coarser"])
def test_shard_scores_leave_out_what_a_group_shares_on_another_grid(
    store: Store, tokens: dict[str, torch.Tensor], spec: ScoreSpec, grid: tuple[int, int]
) -> None:
    excluded = np.repeat(np.random.default_rng(2).random((N, 3, 1)) < 0.5, 2, axis=2)
    excluded[:, 0] = False  # so that every image keeps a patch to match
    shared = np.zeros((N, *grid), dtype=bool)
    if grid == (6, 4):
        shared[:, 1::2, ::2] = excluded  # one of the four patches that a patch of the layer covers
    else:
        shared[:] = excluded[:, :, :1]
    path = f"groups/{grid[0]}-{spec.comparison.pooled}"
    write_groups(store, path, np.ones(N, dtype=np.int64), shared)
    ours = shard_scores(replace(spec, groups=path, earlier=EARLIER))
    expected = looped_scores(tokens, tuple(range(N)), EARLIER, 99, excluded.reshape(N, 6))
    np.testing.assert_allclose(ours, expected, atol=1e-5)
