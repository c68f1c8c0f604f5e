"""Prefect's runner with one worker thread, which a stop does not wait for."""

import logging
import os
import signal
import threading
from types import TracebackType
from typing import Any

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.exceptions import ExternalSignal
from prefect.states import Cancelled
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

SECONDS_TO_REPORT = 8.0
"""Time for states, events and logs of a run that is told to stop."""


def one_at_a_time() -> TaskRunner[Any]:
    """A runner of flows, not started."""
    return OneThread()


class OneThread(ThreadPoolTaskRunner[Any]):
    """One task at a time, as torch parallelises inside a task.

    A flow that is told to stop (SIGTERM of a worker, of a cancelled run or of the system) ends its process. Prefect's
    own runner first waits for the task that runs: minutes of computation whose artefact nobody would read. After 30 s
    the worker would kill the process before it could tell the server anything. An artefact appears whole or not at all,
    so that task may end with the process at any time.
    """

    def __init__(self, max_workers: int | None = 1) -> None:
        super().__init__(max_workers=max_workers)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, ExternalSignal):
            self.leave_running()
            super().__exit__(kind, error, traceback)
            report_cancelled()
        else:
            super().__exit__(kind, error, traceback)

    def leave_running(self) -> None:
        """Start no other task, and end the process soon, since Python itself would wait for the one that runs."""
        last = threading.Timer(SECONDS_TO_REPORT, os._exit, (128 + signal.SIGTERM,))
        last.daemon = True
        last.start()
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


def report_cancelled() -> None:
    """Tell the server that a run it is cancelling has ended.

    The worker would tell it too, but only after another process has imported the flow to look for hooks: half a minute.
    """
    flow_run = runtime.flow_run.id
    if flow_run is None:
        return
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(flow_run).state
            if state is not None and state.is_cancelling():
                message = "The run was cancelled; everything finished is kept."
                client.set_flow_run_state(flow_run, Cancelled(message=message), force=True)
    except Exception as error:
        logging.getLogger(__name__).warning("the server was not told that the run was cancelled: %s", error)
