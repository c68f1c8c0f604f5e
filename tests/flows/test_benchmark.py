"""The benchmark against a real Prefect server: every dataset end to end, failures, subsets, changed labels."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score
from typer.testing import CliRunner

from storage.datasets import list_categories
from storage.published import published_values
from storage.runs import Run
from storage.store import Store
from storage.tables import read_table

pytestmark = pytest.mark.usefixtures("prefect_server")

SMALL: dict[str, Any] = {"backbones": ("texture",), "image_size": 64, "layers": (0,), "degrees": (1,)}
OPTIONS = ("--backbone", "texture", "--image-size", "64", "--layers", "0", "--degrees", "1")
COLUMNS = [
    "dataset",
    "backbone",
    "image_size",
    "category",
    "metric",
    "value",
    "published",
    "difference",
    "images",
    "categories",
]
METRICS = [
    "image_auroc",
    "image_f1_max",
    "image_ap",
    "pixel_auroc",
    "pixel_f1_max",
    "pixel_ap",
    "pixel_aupro",
    "pixel_aupro_reference",
]
LIMITS = ("0_05", "0_01", "0_1", "0_3", "1")


def measure(dataset: str, root: Path, output: Path, **changes: Any) -> pd.DataFrame:
    from flows.benchmark import benchmark

    done = benchmark(dataset, str(root), str(output), **{**SMALL, **changes})
    return read_table(Store(str(output)), done["benchmark"])


def runs(output: Path) -> dict[str, Run]:
    """The only run of each category."""
    found = [Run(Store(str(output)), f"runs/{path.name}") for path in sorted((output / "runs").iterdir())]
    by_category = {run.record()["category"]: run for run in found}
    assert len(by_category) == len(found)
    return by_category


def written(output: Path, *stages: str) -> dict[str, int]:
    """When each artefact of the stages was completed."""
    markers = [path for stage in stages for path in output.glob(f"{stage}/[!.]*/complete.json")]
    return {str(path.relative_to(output)): path.stat().st_mtime_ns for path in markers}


@dataclass(frozen=True)
class Measured:
    """A dataset after its benchmark."""

    dataset: str
    root: Path
    output: Path
    table: pd.DataFrame

    @property
    def of_categories(self) -> pd.DataFrame:
        return self.table[self.table["category"] != "mean"]


@pytest.fixture(scope="module", params=["mvtec_ad", "visa", "btad", "mvtec_loco", "folder"])
def measured(request: pytest.FixtureRequest, prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    root = request.getfixturevalue(f"{request.param}_root")
    output = tmp_path_factory.mktemp("measured")
    return Measured(request.param, root, output, measure(request.param, root, output))


def test_benchmark_table_has_every_category_and_metric(measured: Measured) -> None:
    assert measured.table.columns.tolist() == COLUMNS
    metrics = METRICS
    if measured.dataset == "mvtec_loco":
        names = ("image_auroc", *(f"pixel_auspro_{limit}" for limit in LIMITS))
        metrics = [*names, *(f"{name}_{kind}" for kind in ("logical", "structural") for name in names)]
    categories = [category.name for category in list_categories(measured.dataset, measured.root)]
    rows = measured.table.set_index(["category", "metric"]).index
    assert sorted(rows) == sorted((category, metric) for category in [*categories, "mean"] for metric in metrics)
    assert set(measured.table["dataset"]) == {measured.dataset}
    assert set(measured.table["backbone"]) == {"texture"}
    assert set(measured.table["image_size"]) == {"64"}


def test_benchmark_values_are_rates(measured: Measured) -> None:
    assert measured.table["value"].between(0, 1).all()


def test_benchmark_means_are_over_categories(measured: Measured) -> None:
    by_metric = measured.of_categories.groupby("metric")
    means = measured.table[measured.table["category"] == "mean"].set_index("metric")
    for metric, rows in by_metric:
        assert means.loc[metric, "value"] == pytest.approx(sum(rows["value"]) / len(rows), abs=1e-12)
        assert means.loc[metric, "images"] == sum(rows["images"])
        assert means.loc[metric, "categories"] == len(rows)


def test_benchmark_with_an_unpublished_backbone_is_compared_with_nothing(measured: Measured) -> None:
    assert measured.table[["published", "difference"]].isna().all(axis=None)


def test_benchmark_image_auroc_is_that_of_the_runs_scores(measured: Measured) -> None:
    values = measured.of_categories[measured.of_categories["metric"] == "image_auroc"].set_index("category")["value"]
    for category, run in runs(measured.output).items():
        scores = run.scores()
        kinds = scores["path"].map(lambda path: Path(path).parent.name)
        good = kinds.isin(["good", "ok", "Normal"])
        splits = [["logical_anomalies"], ["structural_anomalies"]] if measured.dataset == "mvtec_loco" else [kinds]
        chosen = [scores[good | kinds.isin(split)] for split in splits]
        expected = [roc_auc_score(~good[part.index], part["score"]) for part in chosen]
        assert values[category] == pytest.approx(np.mean(expected), abs=1e-12)


@pytest.mark.parametrize("measured", ["mvtec_ad", "visa", "btad", "folder"], indirect=True)
def test_benchmark_pixel_figures_are_those_of_maps_and_masks(measured: Measured) -> None:
    values = measured.of_categories.set_index(["category", "metric"])["value"]
    for category in list_categories(measured.dataset, measured.root):
        run = runs(measured.output)[category.name]
        patches = dict(zip(run.images()["path"], run.patch_scores(), strict=True))
        maps, masks = [], []
        for image in category.images:
            cells = torch.from_numpy(patches[image.path])[None, None]
            maps.append(torch.nn.functional.interpolate(cells, (64, 64), mode="bilinear", align_corners=True)[0, 0])
            mask = np.zeros((64, 64), dtype=bool)
            if image.masks:
                mask = np.asarray(Image.open(measured.root / image.masks[0].path)) > 0
            masks.append(mask.ravel())
        truth, score = np.concatenate(masks), torch.stack(maps).flatten().double().numpy()
        assert truth.any()
        assert values[category.name, "pixel_auroc"] == pytest.approx(roc_auc_score(truth, score), abs=1e-6)
        assert values[category.name, "pixel_ap"] == pytest.approx(average_precision_score(truth, score), abs=1e-6)


def test_benchmark_finds_the_drawn_defects(measured: Measured) -> None:
    """Stripes in noise are easy: labels or masks given to the wrong images would bring these near a half."""
    values = measured.of_categories.set_index(["category", "metric"])["value"]
    pixels = "pixel_auspro_0_3" if measured.dataset == "mvtec_loco" else "pixel_auroc"
    assert values[:, "image_auroc"].min() == 1
    assert values[:, pixels].min() > 0.9


def test_benchmark_counts_the_images_of_every_category(measured: Measured) -> None:
    counts = measured.of_categories.groupby("category")["images"].unique()
    for category in list_categories(measured.dataset, measured.root):
        assert counts[category.name].tolist() == [len(category.images)]


def test_benchmark_takes_the_papers_windows_for_the_dataset(measured: Measured) -> None:
    expected = [1, 8, 9] if measured.dataset == "visa" else [1, 2, 3]
    for run in runs(measured.output).values():
        assert run.record()["settings"]["window_sizes"] == expected


@pytest.fixture
def published_backbone(monkeypatch: pytest.MonkeyPatch) -> str:
    """A published name whose features are the texture filters', so that published numbers stand beside ours."""
    from musc import backbones
    from musc.backbones import Backbone, BackboneSpec
    from tasks import extract

    resolve, name = backbones.resolve, "ViT-L-14-336"
    texture = backbones.build(resolve("texture", image_size=64, layers=(0,)), "cpu")

    def resolve_either(asked: str, **settings: Any) -> BackboneSpec:
        if asked != name:
            return resolve(asked, **settings)
        return replace(texture.spec, name=name, weights_digest="fake", image_size=(518, 518))

    def load(spec: BackboneSpec, device: str) -> Backbone:
        return replace(texture, spec=spec)

    monkeypatch.setattr(backbones, "resolve", resolve_either)
    monkeypatch.setattr(extract, "loaded", load)
    return name


def test_benchmark_of_several_backbones_compares_the_published_one(
    published_backbone: str, mvtec_ad_root: Path, tmp_path: Path
) -> None:
    table = measure(
        "mvtec_ad", mvtec_ad_root, tmp_path, backbones=("texture", published_backbone), categories=("bottle",)
    )
    assert table["backbone"].value_counts().to_dict() == {"texture": 16, published_backbone: 16}
    assert len(written(tmp_path, "runs")) == 2
    ours = table[(table["backbone"] == published_backbone) & (table["category"] == "bottle")].set_index("metric")
    theirs = published_values("mvtec_ad", "bottle", published_backbone, 518)
    assert set(ours["image_size"]) == {"518"}
    assert np.isnan(ours.loc["pixel_aupro", "published"])
    assert ours.loc["pixel_aupro_reference", "published"] == pytest.approx(theirs.pop("pixel_aupro") / 100)
    for metric, percent in theirs.items():
        assert ours.loc[metric, "published"] == pytest.approx(percent / 100)
    compared = ours.drop(index="pixel_aupro")
    np.testing.assert_allclose(compared["difference"], compared["value"] - compared["published"], rtol=1e-12)
    others = table[(table["backbone"] == "texture") | (table["category"] == "mean")]
    assert others["published"].isna().all()


@pytest.fixture
def damaged_root(folder_root: Path, tmp_path: Path) -> Path:
    """Categories `caps` and `lids`, an image of the first one cut short."""
    root = tmp_path / "damaged"
    shutil.copytree(folder_root, root)
    image = root / "caps" / "test" / "good" / "002.png"
    image.write_bytes(image.read_bytes()[:900])
    return root


def test_benchmark_categories_fail_alone(damaged_root: Path, tmp_path: Path) -> None:
    from cli.main import app
    from flows.benchmark import BenchmarkFailedError

    output = tmp_path / "out"
    with pytest.raises(BenchmarkFailedError, match=r"1 of 2 categories failed, .* caps with texture: .*good/002\.png"):
        measure("folder", damaged_root, output)
    (path,) = output.glob("benchmarks/*/metrics.parquet")
    table = pd.read_parquet(path)
    assert set(table["category"]) == {"lids", "mean"}
    shown = CliRunner().invoke(app, ["benchmark", "folder", str(damaged_root), "--output", str(output), *OPTIONS])
    assert shown.exit_code == 1
    assert "error: 1 of 2 categories failed" in shown.stderr
    assert "caps/test/good/002.png" in shown.stderr
    assert "Traceback" not in shown.output
    assert "lids" in shown.stdout
    assert str(path.relative_to(output)) in shown.stdout


def test_benchmark_without_any_measured_category_says_so(damaged_root: Path, tmp_path: Path) -> None:
    from flows.benchmark import BenchmarkFailedError

    with pytest.raises(BenchmarkFailedError, match="1 of 1 categories failed, nothing was measured: caps"):
        measure("folder", damaged_root, tmp_path / "out", categories=("caps",))
    assert not (tmp_path / "out" / "benchmarks").exists()


def planted(monkeypatch: pytest.MonkeyPatch, errors: list[Exception]) -> list[str]:
    """Let measuring fail with each error in turn, then succeed; gives what was measured, one entry per attempt."""
    from tasks import measure as measuring

    real, attempts = measuring.network_size_metrics, []

    def failing(found: Any, dataset: str, root: str) -> dict[str, float]:
        attempts.append(found.images[0].path.split("/")[0])
        if errors:
            raise errors.pop(0)
        return real(found, dataset, root)

    monkeypatch.setattr(measuring, "network_size_metrics", failing)
    monkeypatch.setattr(measuring.measure_category, "retry_delay_seconds", 0)
    return attempts


def test_benchmark_repeats_what_may_pass_and_nothing_else(
    folder_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.benchmark import BenchmarkFailedError

    attempts = planted(monkeypatch, [ConnectionResetError("planted"), OSError("planted"), ValueError("planted fault")])
    with pytest.raises(BenchmarkFailedError, match=r"1 of 2 categories failed, .*: caps with texture: .*planted fault"):
        measure("folder", folder_root, tmp_path)
    assert attempts == ["caps", "caps", "caps", "lids"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subsets": 0}, "subsets must be a positive count"),
        ({"subsets": 6}, "subsets must be a positive count .* got 6 for 11 images; use at most 5"),
        ({"backbones": ("texture", "texture")}, "backbones must differ from each other, got texture, texture"),
        ({"backbones": ()}, "backbones must name at least one backbone"),
        ({"backbones": ("texture", "ViT-L-14"), "weights": "x.pt"}, "weights must go with one backbone, got 2"),
        ({"degrees": (2,)}, "degree must be a positive odd number"),
        ({"categories": ("caps", "cups")}, "category 'cups' is unknown; known: caps, lids"),
    ],
)
def test_benchmark_refuses_before_any_work(
    changes: dict[str, Any], message: str, folder_root: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        measure("folder", folder_root, tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def scores_by_content(output: Path, category: str = "caps") -> pd.DataFrame:
    return runs(output)[category].scores().set_index("sha256")[["raw_score", "score"]].sort_index()


def dealt(root: Path, output: Path, **changes: Any) -> Run:
    measure("folder", root, output, categories=("caps",), subsets=2, **changes)
    return runs(output)["caps"]


@pytest.fixture(scope="module")
def dealt_output(folder_root: Path, prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the category `caps` scored in two subsets."""
    output = tmp_path_factory.mktemp("dealt")
    dealt(folder_root, output)
    return output


def test_subsets_score_every_image_once(dealt_output: Path, folder_root: Path) -> None:
    listed = [image.path for image in list_categories("folder", folder_root, ["caps"])[0].images]
    assert sorted(runs(dealt_output)["caps"].scores()["path"]) == sorted(listed)


def score_apart(folder: Path, images: Sequence[Path], output: Path) -> np.ndarray:
    """Patch scores of images as a lot of their own."""
    from flows.score_lot import score_lot

    folder.mkdir()
    for position, image in enumerate(images):
        shutil.copy(image, folder / f"{position:03d}{image.suffix}")
    done = score_lot(str(folder), str(output), backbone="texture", image_size=64, layers=(0,), degrees=(1,))
    return Run(Store(str(output)), done["run"]).patch_scores()


def test_subsets_are_lots_of_their_own(dealt_output: Path, folder_root: Path, tmp_path: Path) -> None:
    run = runs(dealt_output)["caps"]
    images = [folder_root / path for path in run.images()["path"]]
    halves = [
        score_apart(tmp_path / name, part, tmp_path / "out")
        for name, part in zip("ab", (images[:6], images[6:]), strict=True)
    ]
    np.testing.assert_array_equal(run.patch_scores(), np.concatenate(halves))


def test_subsets_depend_on_content_not_on_names_or_labels(
    dealt_output: Path, folder_root: Path, tmp_path: Path
) -> None:
    root = tmp_path / "renamed"
    images = sorted((folder_root / "caps" / "test").rglob("*.png"))
    for number, image in enumerate(reversed(images)):
        kind = "good" if number % 2 else "anything"
        target = root / "caps" / "test" / kind / f"part {number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, target)
        if kind != "good":
            mask = root / "caps" / "ground_truth" / kind / f"part {number}.png"
            mask.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder_root / "caps" / "ground_truth" / "broken" / "000_mask.png", mask)
    dealt(root, tmp_path / "out")
    pd.testing.assert_frame_equal(scores_by_content(tmp_path / "out"), scores_by_content(dealt_output))


def test_subsets_differ_with_the_seed(dealt_output: Path, folder_root: Path, tmp_path: Path) -> None:
    dealt(folder_root, tmp_path / "one", seed=1)
    order = runs(tmp_path / "one")["caps"].images()["sha256"].tolist()
    usual = runs(dealt_output)["caps"].images()["sha256"].tolist()
    assert sorted(order) == sorted(usual)
    assert set(order[:6]) != set(usual[:6])
    assert not scores_by_content(tmp_path / "one").equals(scores_by_content(dealt_output))


def test_subsets_with_the_same_seed_are_the_same(dealt_output: Path, folder_root: Path, tmp_path: Path) -> None:
    dealt(folder_root, tmp_path)
    pd.testing.assert_frame_equal(scores_by_content(tmp_path), scores_by_content(dealt_output))
    tables = [next(output.glob("benchmarks/*/metrics.parquet")) for output in (tmp_path, dealt_output)]
    assert tables[0].read_bytes() == tables[1].read_bytes()


def test_changed_mask_is_measured_anew_without_scoring(folder_root: Path, tmp_path: Path) -> None:
    root, output = tmp_path / "root", tmp_path / "out"
    shutil.copytree(folder_root / "caps", root / "caps")
    before = measure("folder", root, output).set_index("metric")
    scored, metrics = written(output, "features", "patch_scores", "runs"), written(output, "metrics")
    mask = root / "caps" / "ground_truth" / "dented" / "001_mask.png"
    Image.fromarray(np.asarray(Image.open(mask))[::-1].copy()).save(mask)
    after = measure("folder", root, output).set_index("metric")
    assert written(output, "features", "patch_scores", "runs") == scored
    assert len(written(output, "metrics")) == len(metrics) + 1
    assert (after["value"] < before["value"])[["pixel_auroc", "pixel_ap"]].all(axis=None)
    pd.testing.assert_series_equal(after.loc["image_auroc", "value"], before.loc["image_auroc", "value"])


def test_moved_dataset_is_not_scored_again(folder_root: Path, tmp_path: Path) -> None:
    first, moved, output = tmp_path / "first", tmp_path / "moved", tmp_path / "out"
    shutil.copytree(folder_root / "caps", first / "caps")
    before = measure("folder", first, output)
    made = written(output, "features", "patch_scores", "runs")
    for metrics in (output / "metrics").iterdir():
        shutil.rmtree(metrics)
    first.rename(moved)
    pd.testing.assert_frame_equal(measure("folder", moved, output), before)
    assert written(output, "features", "patch_scores", "runs") == made


def test_benchmark_artifact_key_suits_prefect() -> None:
    from flows.benchmark import artifact_key

    name = "benchmark-mvtec_ad-timm:vit_small_patch14_dinov2.lvd142m"
    assert artifact_key(name) == "benchmark-mvtec-ad-timm-vit-small-patch14-dinov2-lvd142m"
