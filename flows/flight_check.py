"""Check some hours before a night, on the worker that will run it, that everything is there."""

from typing import Any

from prefect import Flow, flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_API_URL

from flows.parameters import takes
from flows.pipelines.flight_check import CheckFailedError, flight_check
from planning.nights.check_lines import FlightCheck, fails
from planning.requests import DEFAULT_ROOT, NightRequest
from tasks.flight_check.server import Api
from tasks.monitoring.artifacts import publish_check


def crashed(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Tell of a check whose process was killed, as it cannot tell of itself."""
    line = fails("check", state.message or "its process is gone", "see the worker's log; memory may have been short")
    publish_check(FlightCheck(str(flow_run.parameters.get("root", DEFAULT_ROOT)), (line,)))


@flow(name="flight-check", flow_run_name="check {root}", on_crashed=[crashed])
@takes(NightRequest)
def check_flight(request: NightRequest) -> FlightCheck:
    """Look at everything that a night depends on: root, newest lot, store, disk, clock, weights, device, server.

    At last four photographs of the newest lot go through the whole pipeline, into a place that is removed.

    Returns:
        A line for each check.

    Raises:
        CheckFailedError: at the end, if any check fails.
    """
    check = flight_check(request, configured())
    publish_check(check)
    if not check.has_passed:
        raise CheckFailedError(check)
    return check


def configured() -> Api | None:
    """The API of this process, and what it asks for; None if there is none but Prefect's embedded server."""
    url, password, key = (setting.value() for setting in (PREFECT_API_URL, PREFECT_API_AUTH_STRING, PREFECT_API_KEY))
    return Api(str(url), secret(password), secret(key)) if url else None


def secret(value: Any) -> str:
    """The text of a setting that is shown as asterisks."""
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value or "")
