"""Images scored as tiles: their scores are those of the method applied to the tiles alone, whatever the references."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import musc
from flows.pipelines.lot import score_folder
from musc import backbones
from musc.lnamd import aggregate
from musc.mutual import interval_counts
from musc.plan.lot_as_tiles import positions_around, tile_count, tile_layout
from musc.tiles import stitch, stitched_grid, tile_image
from planning.estimates.operations_and_bytes import project_cost
from reports.run_record import read_record
from storage.datasets.synthetic.lot import draw_part
from storage.images.lots import ListedImage
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request, prepare

WIDTH, HEIGHT, SIDE, OVERLAP, N = 112, 80, 64, 16, 4
METHOD: dict[str, Any] = {"layers": (0,), "degrees": (1, 3), "interval": (0.0, 0.5)}
OPTIONS = {**METHOD, "backbone": "texture", "engine": "inline", "tile": SIDE, "overlap": OVERLAP, "rscin_windows": (1,)}


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    """Four parts of 112 × 80 pixels, the last one with a scratch."""
    drawn = [
        draw_part("cast", "scratch" if number == N - 1 else None, number=number, size=112)[0] for number in range(N)
    ]
    return [Image.fromarray(picture[:HEIGHT, :WIDTH]) for picture in drawn]


@pytest.fixture(scope="module")
def folder(photographs: list[Image.Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("lot")
    for number, photograph in enumerate(photographs):
        photograph.save(place / f"{number}.png")
    return place


def scored(folder: Path, store: Path, **options: Any) -> Run:
    done = score_folder(lot_request(folder, store, **{**OPTIONS, **options}), InlineRunner())
    assert done.problems == ()
    return Run(Store(str(store)), done.run)


def cut(photograph: Image.Image) -> list[Image.Image]:
    tiles = tile_image(WIDTH, HEIGHT, SIDE, OVERLAP)
    return [photograph.crop((one.x, one.y, one.x + one.width, one.y + one.height)) for one in tiles]


def raw_scores(run: Run) -> np.ndarray:
    return run.scores().sort_values("path")["raw_score"].to_numpy()


def map_of(cells: np.ndarray) -> np.ndarray:
    """The anomaly map of one image at the size of its tiles, or its own where that is larger, in plain loops."""
    (rows, columns), height, width = cells.shape, max(SIDE, cells.shape[0]), max(SIDE, cells.shape[1])
    drawn = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            down, across = y * (rows - 1) / (height - 1), x * (columns - 1) / (width - 1)
            top, left = min(int(down), rows - 2), min(int(across), columns - 2)
            upper = (1 - (across - left)) * cells[top, left] + (across - left) * cells[top, left + 1]
            lower = (1 - (across - left)) * cells[top + 1, left] + (across - left) * cells[top + 1, left + 1]
            drawn[y, x] = (1 - (down - top)) * upper + (down - top) * lower
    return drawn


def assert_highest(run: Run, image: int, cells: np.ndarray) -> None:
    """An image's raw score is the maximum of its map, and its peak lies there."""
    drawn = map_of(cells)
    row = run.scores().set_index("path").loc[f"{image}.png"]
    assert row["raw_score"] == pytest.approx(drawn.max(), abs=2e-4)
    y, x = int(row["peak_y"] * drawn.shape[0] / HEIGHT), int(row["peak_x"] * drawn.shape[1] / WIDTH)
    assert drawn[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].max() > drawn.max() - 4e-4


def test_tiles_of_one_position_are_scored_as_images_of_their_own(
    photographs: list[Image.Image], folder: Path, tmp_path: Path
) -> None:
    run = scored(folder, tmp_path)
    tiles = [cut(photograph) for photograph in photographs]
    alone = [
        musc.score_images([of_image[position] for of_image in tiles], "texture", image_size=SIDE, **METHOD)
        for position in range(len(tiles[0]))
    ]
    of_tile = backbones.resolve("texture", image_size=SIDE, layers=(0,)).grid
    grid = stitched_grid(WIDTH, HEIGHT, SIDE, of_tile)
    for image in range(N):
        cells = np.stack([one.patch_scores[image].numpy().reshape(of_tile) for one in alone])
        whole = stitch(cells, tile_image(WIDTH, HEIGHT, SIDE, OVERLAP), (HEIGHT, WIDTH), grid)
        np.testing.assert_allclose(run.patch_scores()[image], whole, atol=2e-4)  # features are stored in float16
        assert_highest(run, image, whole)


BORDER = 48
"""First column of the second tile of a photograph of 112 pixels."""


@pytest.fixture(scope="module")
def lines_at_borders() -> list[Image.Image]:
    """Six parts with a line near the inner border of their tiles, at its own place in each; the last has a flaw."""
    drawn = []
    for number in range(6):
        random = np.random.default_rng(number)
        pixels = np.full((112, 112, 3), 128.0) + random.normal(0, 6, (112, 112, 1))
        line = BORDER + random.integers(-6, 7)
        pixels[:, line : line + 3] += 60
        if number == 5:
            pixels[20:24, 20:32] -= 20
        drawn.append(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))
    return drawn


def test_what_is_odd_at_the_border_of_a_tile_does_not_win(lines_at_borders: list[Image.Image], tmp_path: Path) -> None:
    tiles = tile_image(112, 112, SIDE, OVERLAP)
    cuts = [
        [photograph.crop((one.x, one.y, one.x + SIDE, one.y + SIDE)) for one in tiles]
        for photograph in lines_at_borders
    ]
    highest = np.max(
        [
            musc.score_images(
                [of_image[position] for of_image in cuts], "texture", image_size=SIDE, **METHOD
            ).raw_image_scores.numpy()
            for position in range(len(tiles))
        ],
        axis=0,
    )
    assert highest.argmax() != 5, "a good part has the highest tile"
    (tmp_path / "lot").mkdir()
    for number, photograph in enumerate(lines_at_borders):
        photograph.save(tmp_path / "lot" / f"{number}.png")
    worst = scored(tmp_path / "lot", tmp_path / "store").scores().iloc[0]
    assert worst["path"] == "5.png"
    assert (16 <= worst["peak_y"] < 28, 16 <= worst["peak_x"] < 36) == (True, True)


@pytest.mark.parametrize(("references", "side", "grid"), [("all", SIDE, (2, 2)), ("around", 32, (3, 4))])
def test_tiles_are_compared_with_those_of_other_positions_in_other_images(
    references: str, side: int, grid: tuple[int, int], photographs: list[Image.Image], folder: Path, tmp_path: Path
) -> None:
    overlap = 16 if side == SIDE else 4
    run = scored(folder, tmp_path, tile_references=references, tile=side, overlap=overlap)
    net, tiles = backbones.load("texture", image_size=side, layers=(0,)), tile_image(WIDTH, HEIGHT, side, overlap)
    assert len(tiles) == grid[0] * grid[1]
    crops = [[one.crop((t.x, t.y, t.x + t.width, t.y + t.height)) for t in tiles] for one in photographs]
    tokens = [net.extract(of_image).patch_tokens[0] for of_image in crops]
    by_degree = []
    for degree in METHOD["degrees"]:
        vectors = [aggregate(of_image, net.spec.layers[0].grid, degree).double().numpy() for of_image in tokens]
        scores = np.empty((N, len(tiles), tokens[0].shape[1]))
        for image in range(N):
            for position, tile in enumerate(vectors[image]):
                seen = [place for place in range(len(tiles)) if references == "all" or beside(place, position, grid)]
                others = [vectors[other][place] for other in range(N) if other != image for place in seen]
                count = interval_counts(METHOD["interval"], len(others))[1]
                for patch, vector in enumerate(tile):
                    nearest = sorted(np.linalg.norm(other - vector, axis=1).min() for other in others)
                    scores[image, position, patch] = np.mean(nearest[:count])
        by_degree.append(scores)
    of_tile = net.spec.layers[0].grid
    for image, of_image in enumerate(np.mean(by_degree, axis=0)):
        cells = of_image.reshape(-1, *of_tile).astype(np.float32)
        whole = stitch(cells, tiles, (HEIGHT, WIDTH), stitched_grid(WIDTH, HEIGHT, side, of_tile))
        np.testing.assert_allclose(run.patch_scores()[image], whole, atol=3e-3)


def beside(place: int, position: int, grid: tuple[int, int]) -> bool:
    """Whether a tile lies at most one row and one column from another."""
    rows, columns = np.divmod((place, position), grid[1])
    return bool(abs(rows[0] - rows[1]) <= 1 and abs(columns[0] - columns[1]) <= 1)


def test_edges_of_tiles_have_fewer_tiles_around_them() -> None:
    assert [len(positions_around((3, 4), place)) for place in range(12)] == [4, 6, 6, 4, 6, 9, 9, 6, 4, 6, 6, 4]


def test_plan_of_tiles_counts_references_around(folder: Path, tmp_path: Path) -> None:
    job = prepare(folder, tmp_path, **{**OPTIONS, "tile": 32, "overlap": 4, "tile_references": "around"})
    cost, only = (
        project_cost(replace(job, settings=job.settings.changed(tile_references=which)), 12 * N, layout=(3, 4))
        for which in ("around", "position")
    )
    assert cost.reference_count == 9 * N - 1
    assert cost.peak_bytes > only.peak_bytes
    mean = sum(len(positions_around((3, 4), place)) for place in range(12)) / 12
    pairs = [12 * N * ((N - 1) / 2 + (count - 1) * N) for count in (mean, 1)]
    assert cost.operations / only.operations == pytest.approx(pairs[0] / pairs[1])


@pytest.mark.parametrize("references", ["around", "all"])
def test_shards_of_tiles_give_the_same_scores_whatever_the_memory(
    references: str, folder: Path, tmp_path: Path
) -> None:
    given = {"tile_references": references}
    whole = scored(folder, tmp_path / "whole", **given)
    parts = scored(folder, tmp_path / "parts", **given, memory="1650kB", block_images=8)
    assert len(read_record(parts).keys.patch_scores) > len(read_record(whole).keys.patch_scores)
    np.testing.assert_allclose(raw_scores(parts), raw_scores(whole), atol=1e-5)


def test_image_of_other_tiles_is_refused_by_name(folder: Path, tmp_path: Path) -> None:
    job = prepare(folder, tmp_path, **OPTIONS)
    images = [ListedImage(str(width), f"{width}.png", "", width, 80, "ok", "") for width in (112, 100, 300)]
    assert tile_count(job.settings, images[:2]) == 4
    with pytest.raises(ValueError, match=r"got 6 x 2 for 300\.png \(300 x 80 pixels\) and 2 x 2 for 112\.png"):
        tile_count(job.settings, images)


def test_picture_of_48_million_pixels_is_planned_within_the_memory(folder: Path, tmp_path: Path) -> None:
    options = {"backbone": "efficientnet-lite0", "engine": "inline", "tile": 320, "memory": "300MB"}
    job = prepare(folder, tmp_path, **options)
    images = [ListedImage(str(number), f"{number}.png", "", 8000, 6000, "ok", "") for number in range(20)]
    tiles = tile_count(job.settings, images)
    assert tiles == 29 * 22
    assert project_cost(job, tiles * len(images), layout=tile_layout(job.settings, images)).peak_bytes <= 300e6


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tile": None, "overlap": 3}, "overlap must go with tile, got overlap 3 alone"),
        ({"overlap": SIDE}, f"overlap must be less than tile, {SIDE}, got {SIDE}"),
        ({"exclude_groups": True}, "exclude_groups must go without tile, got True"),
        ({"tile_references": "all", "references": 3}, "references must go without tile_references all, got 3"),
        ({"good_from_verdicts": True}, "good_from_verdicts must go without tile, got True"),
    ],
)
def test_options_that_do_not_go_with_tiles_are_refused(
    options: dict[str, Any], told: str, folder: Path, tmp_path: Path
) -> None:
    given = {name: value for name, value in {**OPTIONS, **options}.items() if value is not None}
    with pytest.raises(ValueError, match=told):
        prepare(folder, tmp_path, **given)
