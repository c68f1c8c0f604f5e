"""SIGKILL in each stage: the next run goes on from there and ends with the same bytes."""

from pathlib import Path
from typing import Any

import pytest

STAGES = {
    "extract, second chunk of the second block": ("tasks.extract.write_chunk", 4, "features", 1, ()),
    "aggregate, second chunk of the second part": (
        "tasks.aggregate.aggregate",
        4,
        "aggregated",
        1,
        ("--store-aggregated",),
    ),
    "score, second shard": ("storage.patch_scores.write_scores", 2, "patch_scores", 1, ()),
    "rescore, before the record": ("tasks.rescore.write_record", 1, "runs", 0, ()),
}


@pytest.mark.parametrize(("function", "call", "folder", "finished", "words"), STAGES.values(), ids=list(STAGES))
def test_a_killed_run_goes_on(
    function: str,
    call: int,
    folder: str,
    finished: int,
    words: tuple[str, ...],
    command: Any,
    score: Any,
    complete: Any,
    results: Any,
    undisturbed: Any,
    tmp_path: Path,
) -> None:
    command.kill_at(function, call, tmp_path, *words)
    before = complete(tmp_path)
    assert len(complete(tmp_path, folder)) == finished
    assert list((tmp_path / folder).glob(".partial-*")), "the kill must strike while something is being written"
    score(tmp_path, store_aggregated=bool(words))
    assert before.items() <= complete(tmp_path).items()
    found = results(tmp_path)
    assert (found["patch_scores"], found["images.parquet"]) == (
        undisturbed["patch_scores"],
        undisturbed["images.parquet"],
    )
    if not words:  # the name of a run tells whether aggregated features were read
        assert found == undisturbed
