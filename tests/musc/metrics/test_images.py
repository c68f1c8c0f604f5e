"""Image metrics against scikit-learn, the reference files, and what they must be by definition."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from musc.metrics import image_metrics


def judge(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    precision, recall, _ = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    return {
        "auroc": roc_auc_score(labels, scores),
        "f1_max": f1.max(),
        "ap": average_precision_score(labels, scores),
    }


def assert_agrees(labels: np.ndarray, scores: np.ndarray) -> None:
    expected = judge(labels, scores)
    metrics = image_metrics(labels, scores)
    assert metrics.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("distinct_count", [2, 5, 1000])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_image_metrics_agree_with_sklearn_whatever_the_ties(distinct_count: int, dtype: type) -> None:
    random = np.random.default_rng(distinct_count)
    labels = random.integers(0, 2, 311)
    scores: np.ndarray = (random.integers(0, distinct_count, 311) - distinct_count // 2 + labels).astype(dtype)
    assert_agrees(labels, scores)


def test_image_metrics_of_a_constant_score() -> None:
    assert_agrees(np.array([0, 1, 0, 0, 1]), np.full(5, 0.7))


@pytest.mark.parametrize("position", [0, 17, 52])
def test_image_metrics_of_a_single_anomalous_image(position: int) -> None:
    labels = np.zeros(53, np.int64)
    labels[position] = 1
    assert_agrees(labels, np.linspace(-1, 1, 53))


def test_image_metrics_tie_zero_with_negative_zero() -> None:
    assert image_metrics([1, 0], [0.0, -0.0])["auroc"] == 0.5


def test_image_metrics_of_a_perfect_ranking() -> None:
    assert image_metrics([False, True, True], [0.1, 0.5, 0.9]) == {"auroc": 1.0, "f1_max": 1.0, "ap": 1.0}


def test_image_metrics_of_a_reversed_ranking() -> None:
    # Thresholds reach 0 of 1, then 1 of 2 with every clean image: precision 1/3 and recall 1 at the end.
    metrics = image_metrics([1, 0, 0], [0.1, 0.5, 0.9])
    assert metrics == {"auroc": 0.0, "f1_max": pytest.approx(0.5), "ap": pytest.approx(1 / 3)}


def test_image_metrics_of_scores_too_far_apart_for_bins() -> None:
    scores = np.array([-3e38, 0, 3e38, 1, -1], np.float32)
    assert_agrees(np.array([0, 0, 1, 1, 0]), scores)


def test_image_metrics_of_scores_too_close_for_bins() -> None:
    scores = np.array([0, 1e-45, 3e-45, 1e-45, 5e-45], np.float32)
    assert_agrees(np.array([0, 0, 1, 1, 0]), scores)


def test_image_metrics_are_not_defined_without_an_anomalous_image() -> None:
    metrics = image_metrics([0, 0], [0.1, 0.2])
    assert np.isnan([metrics["auroc"], metrics["f1_max"], metrics["ap"]]).all()


def test_image_metrics_without_a_good_image_leave_only_auroc_undefined() -> None:
    metrics = image_metrics([1, 1], [0.1, 0.2])
    assert np.isnan(metrics.pop("auroc"))
    assert metrics == {"f1_max": 1.0, "ap": 1.0}


def test_image_metrics_agree_with_the_small_reference(small_stages: dict[str, np.ndarray]) -> None:
    metrics = image_metrics(small_stages["labels"], small_stages["image_scores_rscin_1_2_3"])
    expected = small_stages["image_auroc_f1max_ap"]
    np.testing.assert_allclose([metrics["auroc"], metrics["f1_max"], metrics["ap"]], expected, rtol=0, atol=1e-9)


def test_image_metrics_agree_with_the_photographs(
    reference_stages: dict[str, np.ndarray], reference_folder: Path
) -> None:
    expected = json.loads((reference_folder / "reference.json").read_text())["image_metrics"]
    metrics = image_metrics(reference_stages["labels"], reference_stages["image_scores_rscin_1_2_3"])
    assert metrics == pytest.approx(expected, rel=0, abs=1e-9)


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1], [0.1, float("nan")], r"scores must be finite, got 1 NaN or infinite values; leave"),
        ([0, 1], [0.1, float("inf")], r"scores must be finite, got 1 NaN"),
        ([0, 2], [0.1, 0.2], r"labels must be 0 or 1, got \[2\]; compare"),
        ([0, 1, 1], [0.1, 0.2], r"labels must be as many as scores 2, got 3; give one per image"),
        ([[0, 1]], [0.1, 0.2], r"labels must have 1 axes, got shape \(1, 2\)"),
        ([0, 1], [[0.1, 0.2]], r"scores must have 1 axes, got shape \(1, 2\)"),
        ([], [], r"scores must hold at least one score, got shape \(0,\)"),
    ],
)
def test_image_metrics_refuse(labels: list, scores: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        image_metrics(labels, scores)
