"""Inline, as Prefect tasks, or on Dask workers: the same bits, and each goes on where another was killed."""

from pathlib import Path
from typing import Any

import pytest

from tests.killing import Command, complete, results

INLINE = ("--engine", "inline")
SECOND_SHARD = ("storage.results.patch_scores.write_scores", 2)


def test_inline_gives_the_bytes_of_prefect_threads(command: Command, undisturbed: Any, tmp_path: Path) -> None:
    command.finish(command.start(tmp_path / "store", *INLINE))
    assert results(tmp_path / "store") == undisturbed


@pytest.mark.parametrize(("killed", "resumed"), [("inline", "threads"), ("threads", "inline"), ("inline", "dask")])
def test_one_runner_goes_on_where_another_was_killed(
    killed: str,
    resumed: str,
    command: Command,
    score: Any,
    undisturbed: Any,
    tmp_path: Path,
) -> None:
    store = tmp_path / "store"
    command.kill_at(*SECOND_SHARD, store, "--engine", killed)
    before = complete(store)
    assert len(complete(store, "features")) == 3
    assert len(complete(store, "patch_scores")) == 1
    if resumed == "inline":
        command.finish(command.start(store, *INLINE))
    else:
        score(store, engine=resumed, **({"workers": 2} if resumed == "dask" else {}))
    assert before.items() <= complete(store).items(), "nothing finished is computed again"
    assert results(store) == undisturbed


def test_tiles_are_scored_alike_by_another_runner_after_a_kill(command: Command, score: Any, tmp_path: Path) -> None:
    tiled = ("--tile", "48", *INLINE)
    command.finish(command.start(tmp_path / "whole", *tiled))
    command.kill_at("storage.results.patch_scores.write_scores", 5, tmp_path / "killed", *tiled)
    before = complete(tmp_path / "killed")
    assert len(complete(tmp_path / "killed", "patch_scores")) == 4, "half of two layers at four positions"
    score(tmp_path / "killed", tile=48, engine="threads")
    assert before.items() <= complete(tmp_path / "killed").items(), "nothing finished is computed again"
    assert results(tmp_path / "killed") == results(tmp_path / "whole")
