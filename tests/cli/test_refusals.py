"""What options refuse beside each other, compared with the lists in the documents."""

import re
from pathlib import Path
from typing import Any

import pytest

from musc.settings import WITHOUT_TILES
from planning.requests import LotRequest
from tests.flat import prepare

ROOT = Path(__file__).resolve().parents[2]
METHOD = (ROOT / "docs" / "method.md").read_text("utf-8")
SAMPLES: dict[str, Any] = {
    **{"output": "store", "lot": "a", "category": "a", "maps": "png", "export": "csv", "backbone": "texture"},
    **{"language": "de", "pixel_size": 0.1},
    **{"weights": None, "image_size": 64, "layers": "0", "quick_gelu": None, "position_antialias": False},
    **{"precision": "float32", "degrees": "1", "interval": "0,0.5", "references": 3, "seed": 1, "match_radius": 2},
    **{"overlap": 8, "tile_references": "all", "rscin_windows": "1", "false_alarms": 1.0, "threshold": 0.1},
    **{"device": "cpu", "memory": "1GB", "block_images": 8, "store_aggregated": True, "engine": "threads"},
    **{"dask_address": "tcp://a:1", "workers": 1, "review_budget": 1, "tile": 64, "image_prefix": "https://a/"},
    **{"exclude_groups": True, "references_from": "runs/a", "keep_aspect": True},
    **{
        "good": ".",
        "good_from_verdicts": True,
        "roi": __file__,
        "ignore_drawn": True,
        "image_score": "mean",
        "default_settings": True,
        "smallest_flaw": 8,
    },
}
"""A value of every option, other than its default where there is a choice."""


def refused_by_tiles(folder: Path, name: str, value: Any) -> bool:
    given = {"backbone": "texture", "tile": 64, name: value}
    try:
        prepare(folder, folder / "store", **{key: one for key, one in given.items() if key != "output"})
    except ValueError as error:
        return "must go without tile" in str(error)
    return False


def test_documents_list_what_tiles_refuse(tmp_path: Path) -> None:
    held = [field.annotation for name, field in LotRequest.model_fields.items() if name in SAMPLES or field.annotation]
    names = {name for model in held if hasattr(model, "model_fields") for name in model.model_fields}
    names |= set(LotRequest.model_fields) - {"folder", "settings", "decisions", "resources"}
    lacking = names - set(SAMPLES) - {"suspects"}
    assert not lacking, "give a sample of a new option, so that it is tried beside tiles"
    refused = {name for name in names & set(SAMPLES) if refused_by_tiles(tmp_path, name, SAMPLES[name])}
    with pytest.raises(ValueError, match="subsets must go without tile, got 2"):
        prepare(tmp_path, tmp_path / "store", backbone="texture", tile=64, subsets=2)
    assert refused | {"subsets"} == set(WITHOUT_TILES)
    (sentence,) = re.findall(r"Tiles go without ([^;]*);", METHOD)
    assert {name.replace("-", "_") for name in re.findall(r"`--([a-z-]+)`", sentence)} == set(WITHOUT_TILES)


@pytest.mark.parametrize(
    ("row", "given"),
    [
        ("| `--exclude-groups` | `--references` |", {"exclude_groups": True, "references": 2}),
        (
            "| `--tile-references around`, `all` | `--references` |",
            {"tile": 64, "tile_references": "all", "references": 2},
        ),
        ("| `--roi` of a folder | `--references-from`,", {"roi": ".", "references_from": "runs/a"}),
        ("`--good-from-verdicts`;", {"roi": ".", "good_from_verdicts": True}),
    ],
)
def test_documents_list_what_else_is_refused(row: str, given: dict[str, Any], tmp_path: Path) -> None:
    assert row in METHOD
    first, second = given if "tile" not in given else list(given)[1:]
    with pytest.raises(ValueError, match=rf"(?s)({first}.*{second}|{second}.*{first})"):
        prepare(tmp_path, tmp_path / "store", backbone="texture", **given)
    assert second.replace("_", "-") in METHOD


@pytest.mark.parametrize(("tile", "size"), [(612, (608, 608)), (32, (32, 32)), (640, (640, 640))])
def test_tile_of_any_side_is_resized_to_the_nearest_that_the_network_takes(
    tile: int, size: tuple[int, int], tmp_path: Path
) -> None:
    job = prepare(tmp_path, tmp_path / "store", backbone="efficientnet-lite0", tile=tile)
    assert job.backbone.image_size == size
    assert prepare(tmp_path, tmp_path / "store", backbone="texture", tile=tile, image_size=96).backbone.grid == (12, 12)


@pytest.mark.parametrize("option", ["webhook", "good", "output", "folder"])
def test_password_in_any_option_is_refused_at_once(option: str) -> None:
    from planning.requests import WatchRequest, request_of

    given = {"folder": "x", option: "https://user:hidden@host/x"}
    with pytest.raises(ValueError, match=f"{option} must not hold a password") as refused:
        request_of(WatchRequest, given)
    assert "hidden" not in str(refused.value)


def test_password_in_the_address_of_dask_is_refused_at_once_whatever_the_engine() -> None:
    from planning.requests import request_of

    for engine in ({}, {"engine": "dask"}):
        with pytest.raises(ValueError, match="dask_address must not hold a password"):
            request_of(LotRequest, {"folder": "x", "dask_address": "tcp://user:hidden@host:1", **engine})
