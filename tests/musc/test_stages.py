"""Every stage against what the authors' code computed."""

import numpy as np
import pytest
import torch

from musc.lnamd import aggregate
from musc.maps import anomaly_maps, image_scores
from musc.mutual import degree_scores, mutual_scores
from musc.rscin import rescore

DEGREES = (1, 3, 5)
Stages = dict[str, np.ndarray]


@pytest.fixture(params=["small_stages", "reference_stages"])
def stages(request: pytest.FixtureRequest) -> Stages:
    return request.getfixturevalue(request.param)


def grid_of(stages: Stages) -> tuple[int, int]:
    side = int(stages["patch_tokens"].shape[2] ** 0.5)
    return side, side


@pytest.mark.parametrize("degree", DEGREES)
def test_lnamd_reference(stages: Stages, degree: int) -> None:
    for layer, tokens in enumerate(stages["patch_tokens"]):
        ours = aggregate(torch.from_numpy(tokens), grid_of(stages), degree)
        np.testing.assert_allclose(ours, stages[f"lnamd_r{degree}"][layer], atol=1e-6)


@pytest.mark.parametrize("degree", DEGREES)
def test_mutual_scores_reference(stages: Stages, degree: int) -> None:
    for layer, features in enumerate(stages[f"lnamd_r{degree}"]):
        ours = mutual_scores(torch.from_numpy(features))
        np.testing.assert_allclose(ours, stages[f"msm_r{degree}"][layer], atol=1e-5)


@pytest.mark.parametrize("pooling", [False, True])
def test_degree_scores_reference(stages: Stages, pooling: bool) -> None:
    """All degrees at once from the tokens, by one product for each and by one for all."""
    for layer, tokens in enumerate(stages["patch_tokens"]):
        ours = degree_scores(torch.from_numpy(tokens), grid_of(stages), DEGREES, pooling=pooling)
        for degree in DEGREES:
            np.testing.assert_allclose(ours[degree], stages[f"msm_r{degree}"][layer], atol=1e-5)


def test_patch_scores_reference(stages: Stages) -> None:
    ours = np.mean([stages[f"msm_r{degree}"].mean(axis=0) for degree in DEGREES], axis=0)
    np.testing.assert_allclose(ours, stages["patch_scores"], atol=1e-5)


def test_anomaly_maps_reference(stages: Stages) -> None:
    expected = stages["anomaly_maps"]
    ours = anomaly_maps(torch.from_numpy(stages["patch_scores"]), grid_of(stages), expected.shape[1:])
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_image_scores_reference(stages: Stages) -> None:
    ours = image_scores(torch.from_numpy(stages["anomaly_maps"]))
    np.testing.assert_allclose(ours, stages["image_scores_raw"], atol=1e-6)


@pytest.mark.parametrize("windows", [(1, 2, 3), (1, 8, 9)])
def test_rescore_reference(stages: Stages, windows: tuple[int, ...]) -> None:
    assert_rescored(stages, windows)


def test_rescore_reference_without_own_window(reference_stages: Stages) -> None:
    assert_rescored(reference_stages, (2, 3))


def assert_rescored(stages: Stages, windows: tuple[int, ...]) -> None:
    expected = stages["image_scores_rscin_" + "_".join(map(str, windows))]
    raw, tokens = torch.from_numpy(stages["image_scores_raw"]), torch.from_numpy(stages["class_token"])
    np.testing.assert_allclose(rescore(raw, tokens, windows), expected, atol=1e-6)
