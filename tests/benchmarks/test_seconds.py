"""Processor time told apart by the functions on a thread's stack."""

import sys

import pytest

from benchmarks.run.seconds import OTHER, Sampler, part_of, stack_of


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        (("torch/mm.py:mm", "musc/kernels/precision.py:multiply", "musc/mutual.py:block_scores"), "products"),
        (("numpy/max.py:amax", "musc/kernels/matrix_products.py:column_maxima"), "maxima and means"),
        (("PIL/ImageFile.py:load", "storage/images/decode.py:decode", "tasks/report.py:write_report"), "decoding"),
        (("reports/page/heatmaps.py:overlay", "tasks/report.py:write_report"), "report page"),
        (("<frozen importlib._bootstrap>:_load", "tasks/extract.py:extract_block"), "imports"),
        (("site-packages/typer/main.py:call",), OTHER),
    ],
)
def test_time_belongs_to_the_innermost_part_that_has_a_name(stack: tuple[str, ...], part: str) -> None:
    assert part_of("\n".join(stack)).startswith(part)


def test_stack_names_this_function_first() -> None:
    assert stack_of(sys._getframe()).splitlines()[0].endswith("test_seconds.py:test_stack_names_this_function_first")


def test_busy_time_is_seen() -> None:
    sampler = Sampler()
    sampler.start()
    while sum(sampler.seconds.values()) < 0.05:
        sum(range(10_000))
    sampler.ended.set()
    sampler.join()
    assert sampler.seconds[OTHER] > 0
