"""Task runs that Dask gave up because their workers were killed, most often by the kernel for want of memory.

Dask also fails the tasks that were queued on a dead worker. So a stage runs each of them again alone
(`tasks.runtime.run_stage`): only the one that kills its worker fails then.
"""

LOST = "KilledWorker"
"""The error's name, as Dask need not be installed."""
CUT_OFF = {"CancelledError", "FutureCancelledError", "CommClosedError"}
"""Names of the errors of tasks whose scheduler is gone."""


def is_lost(outcome: object) -> bool:
    """Whether a task run ended because Dask gave it up after several of its workers died."""
    return type(outcome).__name__ == LOST


def describe_error(error: BaseException) -> str:
    """What a failed task run says, in words of this project where a library's own are no help."""
    if is_lost(error):
        return "every worker that took it was killed; see the workers' logs, most often they ran out of memory"
    if type(error).__name__ in CUT_OFF:
        return "the connection to Dask's scheduler was lost; see its log, and start it again"
    return str(error) or type(error).__name__
