"""Weights and device, made wrong by other files and by GPUs that are gone."""

from dataclasses import replace

import pytest

from musc.backbones.devices import may_have_gpu
from planning.nights.check_lines import Level
from planning.requests import NightRequest, request_of
from tasks.flight_check.looking import look
from tasks.flight_check.network import check_device, check_weights, requested_network
from tests.flat import job_of, record_of


def request(**given: object) -> NightRequest:
    return request_of(NightRequest, {"image_size": 64, **given})


def test_weights_pass_with_the_digest_of_the_newest_run_and_fail_with_another() -> None:
    asked = request(backbone="texture")
    spec = requested_network(asked)
    same = record_of(job_of(backbone=spec))
    line = check_weights(asked, same)
    assert line.level == Level.OK
    assert "as of night" in line.value
    other = check_weights(asked, record_of(job_of(backbone=replace(spec, weights_digest="built-in:texture-0"))))
    assert other.level == Level.FAILS
    assert "built-in:texture-0" in other.value
    assert check_weights(asked, None).level == Level.OK


def test_weights_fail_where_the_file_is_missing_or_another_network(tmp_path: object) -> None:
    import torch

    missing = look("weights", lambda: check_weights(request(backbone="efficientnet-lite0", weights="/no/x.pt"), None))
    assert missing.level == Level.FAILS
    assert "existing file" in missing.value
    wrong = f"{tmp_path}/wrong.pt"
    torch.save({"conv.weight": torch.zeros(1)}, wrong)
    line = look("weights", lambda: check_weights(request(backbone="efficientnet-lite0", weights=wrong), None))
    assert line.level == Level.FAILS
    assert "weights file must fit" in line.value


@pytest.mark.skipif(may_have_gpu(), reason="this machine has a GPU")
def test_device_fails_where_a_gpu_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert check_device(request(), None).level == Level.OK
    assert look("device", lambda: check_device(request(device="cuda:7"), None)).level == Level.FAILS
    by_gpu = job_of()
    by_gpu = replace(by_gpu, backbone=replace(by_gpu.backbone, precision="float16"))
    line = check_device(request(), record_of(by_gpu))
    assert line.level == Level.FAILS
    assert "by a GPU" in line.value
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert check_device(request(), None).level == Level.FAILS
