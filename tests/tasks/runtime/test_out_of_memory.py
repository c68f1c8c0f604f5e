"""A GPU whose memory is short, played by a backbone and by scoring that refuse more than so many images at once."""

import logging
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
import torch

from musc import backbones
from musc.backbones import Backbone, Features
from musc.layers import Layer
from musc.plan.layer_comparison import LayerComparison
from musc.plan.shards import Shard
from planning.task_specs import ScoreSpec
from storage.results.features import ArraySpec, writing_block
from storage.store import Store
from tasks import score
from tasks.extract import features_of
from tasks.runtime.out_of_memory import halve_on_out_of_memory, in_parts
from tasks.score import scores_within_memory, shard_scores


class Gpu:
    """Computes ranges as lists of numbers, at most `most` at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked: list[tuple[int, int]] = []

    def __call__(self, start: int, stop: int) -> list[int]:
        self.asked.append((start, stop))
        if stop - start > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return list(range(start, stop))


@pytest.mark.parametrize(("most", "sizes"), [(7, [7]), (4, [3, 4]), (2, [1, 2, 2, 2]), (1, [1] * 7)])
def test_parts_are_halved_until_they_fit(most: int, sizes: list[int]) -> None:
    parts = in_parts(Gpu(most), 11, 18)
    assert list(chain(*parts)) == list(range(11, 18))
    assert [len(part) for part in parts] == sizes


def test_a_part_of_one_that_does_not_fit_is_refused() -> None:
    with pytest.raises(torch.OutOfMemoryError, match="CUDA out of memory"):
        in_parts(Gpu(0), 0, 3)


def test_the_cpu_takes_over_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    gpu = Gpu(0)
    with caplog.at_level(logging.WARNING):
        assert halve_on_out_of_memory(lambda start, stop: [start, stop], gpu, 5, 8) == [[5, 8]]
    assert gpu.asked == [(5, 8), (5, 6)]
    assert "falling back to the CPU" in caplog.text


def test_other_errors_are_not_taken_for_a_shortage() -> None:
    def broken(start: int, stop: int) -> int:
        raise RuntimeError("device-side assert")

    with pytest.raises(RuntimeError, match="device-side assert"):
        halve_on_out_of_memory(Gpu(9), broken, 0, 2)


def short_of_memory(backbone: Backbone, most: int) -> Backbone:
    def forward(pixels: torch.Tensor) -> Features:
        if len(pixels) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return backbone.forward(pixels)

    return replace(backbone, forward=forward)


@pytest.mark.parametrize("most", [8, 3, 1, 0])
def test_features_are_the_same_however_little_memory_there_is(most: int) -> None:
    backbone = backbones.build(backbones.resolve("texture", image_size=64), "cpu")
    pixels = torch.rand(5, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    expected = backbone.forward(pixels)
    found = features_of(pixels, short_of_memory(backbone, most))
    torch.testing.assert_close(found.patch_tokens, expected.patch_tokens)
    torch.testing.assert_close(found.class_tokens, expected.class_tokens)


@pytest.mark.parametrize("most", [4, 2, 1, 0])
def test_scores_are_the_same_however_little_memory_there_is(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path))
    tokens = torch.randn(9, 6, 5, generator=torch.Generator().manual_seed(4)).half()
    arrays = {"layer_02": ArraySpec((6, 5), "float16")}
    with writing_block(store, "block", image_count=9, arrays=arrays, chunk_images=8, attributes={}) as staging:
        staging.write(0, {"layer_02": tokens[:8].numpy()})
        staging.write(8, {"layer_02": tokens[8:].numpy()})
    comparison = LayerComparison(Layer(2, (2, 3), 5), (1, 3))
    spec = ScoreSpec("key", "lot", store.url, ("block",), comparison, (0, 9), Shard(2, 1, 8), (0.0, 0.5))
    expected = shard_scores(spec)

    def on_small_gpu(spec: ScoreSpec) -> torch.Tensor:
        if spec.comparison.device != "cpu" and spec.shard.stop - spec.shard.start > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return shard_scores(spec)

    monkeypatch.setattr(score, "shard_scores", on_small_gpu)
    torch.testing.assert_close(scores_within_memory(spec), expected, atol=1e-6, rtol=0)
