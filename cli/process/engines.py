"""Which way a command runs: inline, without Prefect, or as a flow that a Prefect server records and its UI shows.

Inline unless an API is configured (`cli.process.prefect_api`) or `--engine` says otherwise. Both ways run the same
pipeline on the same store, so one goes on where the other stopped.
"""

from functools import partial
from typing import Any

from cli.process.prefect_api import configured_api, require_answer

INLINE = "inline"


def chosen_engine(asked: str | None) -> str:
    """The engine a command uses: the one asked for, else `threads` where an API is configured, else `inline`.

    Raises:
        ConnectionError: if the configured API is needed and does not answer.
    """
    api = configured_api()
    engine = asked or ("threads" if api else INLINE)
    if api and engine != INLINE:
        require_answer(api)
    return engine


def complete(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters of a command with its engine."""
    return {**parameters, "engine": parameters.get("engine") or chosen_engine(None)}


def score_lot(**parameters: Any) -> dict[str, Any]:
    """Score one folder; parameters and result are those of `flows.score_lot.score_lot`."""
    given = complete(parameters)
    if given["engine"] == INLINE:
        from flows.pipelines.lot import score_folder
        from tasks.runtime.runner import InlineRunner

        return score_folder(given, InlineRunner())
    from flows.score_lot import score_lot as flow

    return flow(**given)


def run_benchmark(**parameters: Any) -> dict[str, Any]:
    """Score and measure a dataset; parameters and result are those of `flows.benchmark.benchmark`."""
    given = complete(parameters)
    if given["engine"] == INLINE:
        from flows.pipelines.dataset import measure_one, score_dataset
        from tasks.runtime.runner import InlineRunner

        runner = InlineRunner()
        return score_dataset(given, runner, partial(measure_one, runner=runner))
    from flows.benchmark import benchmark

    return benchmark(**given)


def score_lots(**parameters: Any) -> dict[str, Any]:
    """Score what is not finished; parameters and result are those of `flows.score_lots.score_lots`."""
    given = complete(parameters)
    if given["engine"] == INLINE:
        from flows.pipelines.lot import score_folder
        from flows.pipelines.night import score_night
        from tasks.runtime.runner import InlineRunner

        runner = InlineRunner()
        shared = {name: value for name, value in given.items() if name not in ("root", "category", "since")}
        root, category, since = given["root"], given.get("category"), given.get("since")
        return score_night(root, category, since, shared, runner, lambda **one: score_folder(one, runner))
    from flows.score_lots import score_lots as flow

    return flow(**given)


def reproduce_run(run: str, folder: str | None, weights: str | None) -> dict[str, Any]:
    """Repeat a past run; parameters and result are those of `flows.reproduce_run.reproduce_run`."""
    if chosen_engine(None) == INLINE:
        from flows.pipelines.reproduction import repeat
        from tasks.runtime.runner import InlineRunner

        return repeat(run, folder, weights, InlineRunner())
    from flows.reproduce_run import reproduce_run as flow

    return flow(run, folder, weights)
