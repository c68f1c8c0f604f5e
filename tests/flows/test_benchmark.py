"""The benchmark of every dataset, end to end; the MVTec AD one against a real Prefect server."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score

from reports.run_record import read_record
from storage.datasets import list_categories
from storage.datasets.published_results import published_values
from tests.flows.measuring import measure, runs, written

COLUMNS = [
    "dataset",
    "backbone",
    "image_size",
    "category",
    "metric",
    "value",
    "published",
    "published_of",
    "difference",
    "images",
    "without_mask",
    "good",
    "defective",
    "categories",
    "not_read",
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
    engine = "threads" if request.param == "mvtec_ad" else "inline"
    return Measured(request.param, root, output, measure(request.param, root, output, engine=engine))


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


def test_benchmark_with_an_unpublished_backbone_is_compared_with_the_papers(measured: Measured) -> None:
    compared = measured.of_categories[measured.of_categories["published"].notna()]
    categories = measured.of_categories["category"].unique()
    known = any(published_values(measured.dataset, category, "ViT-L-14-336", 518) for category in categories)
    assert set(compared["published_of"]) == ({"ViT-L-14-336 at 518 pixels"} if known else set())
    assert known == (measured.dataset in ("mvtec_ad", "visa", "btad"))


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
    expected = (1, 8, 9) if measured.dataset == "visa" else (1, 2, 3)
    for run in runs(measured.output).values():
        assert read_record(run).job.settings.rscin_windows == expected


@pytest.fixture
def published_backbone(monkeypatch: pytest.MonkeyPatch) -> str:
    """A published name whose features are the texture filters', so that published numbers stand beside ours."""
    from musc import backbones
    from musc.backbones import Backbone, BackboneSpec, families
    from tasks import extract
    from tasks.runtime import loaded_backbones as models

    resolve, name = backbones.resolve, "ViT-L-14-336"
    texture = backbones.build(resolve("texture", image_size=64, layers=(0,)), "cpu")

    def resolve_either(asked: str, **settings: Any) -> BackboneSpec:
        if asked != name:
            return resolve(asked, **settings)
        return replace(texture.spec, name=name, weights_digest="fake", image_size=(518, 518))

    def load(spec: BackboneSpec, device: str) -> Backbone:
        return replace(texture, spec=spec)

    for module in (backbones, families):
        monkeypatch.setattr(module, "resolve", resolve_either)
    for module in (extract, models):
        monkeypatch.setattr(module, "load_backbone", load)
    return name


def test_benchmark_of_several_backbones_compares_the_published_one(
    published_backbone: str, mvtec_ad_root: Path, tmp_path: Path
) -> None:
    table = measure(
        "mvtec_ad", mvtec_ad_root, tmp_path, backbone=("texture", published_backbone), categories=("bottle",)
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
    assert table.loc[table["category"] == "mean", "published"].isna().all(), "of one category of fifteen"
    other = table[(table["backbone"] == "texture") & (table["category"] == "bottle")].set_index("metric")
    assert other.loc["image_auroc", ["published", "published_of"]].tolist() == [
        ours.loc["image_auroc", "published"],
        "ViT-L-14-336 at 518 pixels",
    ]
