"""MVTec LOCO AD's figures: each kind of anomaly with the good images, worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports.evaluation.labels import Labelled
from reports.evaluation.loco import LIMITS, auspro_by_limit, loco_metrics
from storage.datasets import LabelledImage, Mask

SIDE = 4


def write(
    root: Path, path: str, pixels: list[tuple[int, int]], value: int = 255, size: tuple[int, int] = (4, 4)
) -> None:
    image = np.zeros(size, dtype=np.uint8)
    for pixel in pixels:
        image[pixel] = value
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(root / path)


@pytest.fixture
def found(tmp_path: Path) -> Labelled:
    """Two good images, a logical anomaly of two channels, a structural one of one; every clean pixel scores 1.

    Logical: half of channel `a` is enough, and its pixel (0, 0) stands out; of channel `b` two pixels are wanted and
    one of three stands out. Structural: one of its two pixels stands out, the other lies below all clean ones.
    """
    for number in (0, 1):
        write(tmp_path, f"good/{number}.png", [])
    for defective in ("l.png", "s.png"):
        write(tmp_path, defective, [])
    write(tmp_path, "logical/a.png", [(0, 0), (0, 1)])
    write(tmp_path, "logical/b.png", [(2, 0), (2, 1), (2, 2)])
    write(tmp_path, "structural/a.png", [(3, 0), (3, 1)])
    images = (
        LabelledImage("good/0.png", "good", 0),
        LabelledImage(
            "l.png",
            "logical_anomalies",
            1,
            (Mask("logical/a.png", 255, 0.5, True), Mask("logical/b.png", 254, 2, False)),
        ),
        LabelledImage("good/1.png", "good", 0),
        LabelledImage("s.png", "structural_anomalies", 1, (Mask("structural/a.png", 253, 1.0, True),)),
    )
    maps = np.ones((4, SIDE, SIDE), dtype=np.float32)
    maps[1, 0, 0], maps[1, 2, 0] = 9, 5
    maps[1, 0, 1] = maps[1, 2, 1] = maps[1, 2, 2] = 0
    maps[3, 3, 0], maps[3, 3, 1] = 7, 0
    return Labelled(images, np.array([0.1, 0.3, 0.5, 0.8]), maps, (SIDE, SIDE))


def test_loco_image_auroc_of_each_kind_is_with_the_good_images(found: Labelled, tmp_path: Path) -> None:
    metrics = loco_metrics(found, str(tmp_path))
    assert metrics["image_auroc_logical"] == 0.5  # 0.3 beats 0.1 and not 0.5
    assert metrics["image_auroc_structural"] == 1
    assert metrics["image_auroc"] == 0.75


@pytest.mark.parametrize("limit", ["0_01", "0_05", "0_1", "0_3", "1"])
def test_loco_auspro_of_each_kind(found: Labelled, tmp_path: Path, limit: str) -> None:
    # No clean pixel stands out, so the overlap before the first false positive holds to the limit: channel `a` is fully
    # found with its one pixel, of channel `b` one of two is, of the structural one as well.
    metrics = loco_metrics(found, str(tmp_path))
    assert metrics[f"pixel_auspro_{limit}_logical"] == pytest.approx((1 + 1 / 2) / 2)
    assert metrics[f"pixel_auspro_{limit}_structural"] == pytest.approx(1 / 2)
    assert metrics[f"pixel_auspro_{limit}"] == pytest.approx((3 / 4 + 1 / 2) / 2)


def test_loco_false_positives_are_clean_in_every_channel(found: Labelled, tmp_path: Path) -> None:
    # A pixel of the other channel is no false positive.
    found.patch_scores[1, 0, 1] = 8
    assert loco_metrics(found, str(tmp_path))["pixel_auspro_1_logical"] == pytest.approx(3 / 4)
    found.patch_scores[0, 1, 1] = 8
    # A clean pixel is: one of the 46 of the structural split comes before the pixel that is found.
    expected = 1 / 2 - 1 / 2 * 1 / 46
    assert loco_metrics(found, str(tmp_path))["pixel_auspro_1_structural"] == pytest.approx(expected)


def test_loco_metrics_have_a_name_per_limit_and_kind(found: Labelled, tmp_path: Path) -> None:
    metrics = loco_metrics(found, str(tmp_path))
    names = ["image_auroc", *(f"pixel_auspro_{limit:g}".replace(".", "_") for limit in LIMITS)]
    assert sorted(metrics) == sorted(f"{name}{kind}" for name in names for kind in ("", "_logical", "_structural"))


def test_loco_absent_kind_is_not_defined(found: Labelled, tmp_path: Path) -> None:
    metrics = loco_metrics(found.only([True, True, True, False]), str(tmp_path))
    assert metrics["image_auroc_logical"] == 0.5
    assert np.isnan(metrics["image_auroc_structural"])
    assert np.isnan(metrics["pixel_auspro_0_05_structural"])
    assert np.isnan(metrics["pixel_auspro_0_05"])


def test_loco_images_of_several_sizes_are_refused(found: Labelled, tmp_path: Path) -> None:
    write(tmp_path, "good/1.png", [], size=(4, 5))
    with pytest.raises(ValueError, match=r"images of one category must have one size .* got others than \(4, 4\)"):
        auspro_by_limit(found, str(tmp_path))
