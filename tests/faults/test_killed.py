"""SIGKILL in each stage: the next run goes on from there and ends with the same bytes."""

from pathlib import Path
from typing import Any

import pytest

from tests.killing import Command, complete, results

STAGES = {
    "extract, first chunk of the second block": ("tasks.extract.write_chunk", 3, "features", 1, False),
    "aggregate, second chunk of the second part": ("tasks.aggregate.aggregate", 4, "aggregated", 1, True),
    "score, second shard": ("storage.results.patch_scores.write_scores", 2, "patch_scores", 1, False),
    "rescore, after the record": ("tasks.write_run.write_record", 1, "runs", 0, False),
}


@pytest.mark.parametrize(("function", "call", "folder", "finished", "aggregated"), STAGES.values(), ids=list(STAGES))
def test_a_killed_run_goes_on(
    function: str,
    call: int,
    folder: str,
    finished: int,
    aggregated: bool,
    command: Command,
    score: Any,
    undisturbed: Any,
    tmp_path: Path,
) -> None:
    command.kill_at(function, call, tmp_path / "store", *(["--store-aggregated"] if aggregated else []))
    before = complete(tmp_path / "store")
    assert len(complete(tmp_path / "store", folder)) == finished
    assert list((tmp_path / "store" / folder).glob(".partial-*")), "the kill must strike while something is written"
    score(tmp_path / "store", store_aggregated=aggregated)
    assert before.items() <= complete(tmp_path / "store").items()
    if aggregated:  # stored in float16, so the scores are others
        undisturbed = results(score(tmp_path / "alone", store_aggregated=True))
    assert results(tmp_path / "store") == undisturbed


def test_finished_run_asked_for_again_computes_nothing(command: Command, store: Path) -> None:
    before = complete(store)
    said = command.finish(command.start(store))
    assert complete(store) == before
    assert "extract" not in said, "a complete run needs no stage before its last"
    assert "1 of 1 run, 1 from the store" in said
