"""Check some hours before a night, on the worker that will run it, that everything is there."""

from contextlib import AbstractContextManager
from typing import Any

from prefect import Flow, flow
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_API_URL

from flows.devices.limit import holding
from flows.devices.names import limit_names
from flows.parameters import takes
from flows.pipelines.flight_check import CheckFailedError, flight_check
from planning.nights.check_lines import FlightCheck, fails
from planning.requests import DEFAULT_ROOT, NightRequest
from planning.resources import allocate
from tasks.flight_check.looking import PATIENCE_SECONDS
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
    check = flight_check(request, configured(), own_devices)
    publish_check(check)
    if not check.has_passed:
        raise CheckFailedError(check)
    return check


def own_devices(request: NightRequest) -> AbstractContextManager[None]:
    """The devices of a request, kept to this run; another run is waited for as long as for any other check."""
    names = limit_names(request.resources.device, allocate(request.resources).engine)
    return holding(names, PATIENCE_SECONDS)


def configured() -> Api | None:
    """The API of this process, and what it asks for; None if there is none but Prefect's embedded server."""
    url, password, key = (setting.value() for setting in (PREFECT_API_URL, PREFECT_API_AUTH_STRING, PREFECT_API_KEY))
    return Api(str(url), secret(password), secret(key)) if url else None


def secret(value: Any) -> str:
    """The text of a setting that is shown as asterisks."""
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value or "")
