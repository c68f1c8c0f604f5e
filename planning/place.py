"""A place: what differs from plant to plant, and so stands outside of the project's files.

Each field is a Prefect Variable `musc_<name>`, which `prefect.yaml` refers to, and may come from the environment as
`MUSC_<NAME>`.
"""

import json
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import JsonValue, model_validator

from musc.settings.pydantic_options import Options, option, texts_in
from planning.requests import DEFAULT_OUTPUT, DEFAULT_ROOT, NightRequest
from planning.resources import Resources
from storage.secrets import CREDENTIALS, require_no_secret

PREFIX = "musc_"
OF_NIGHTS = f"{PREFIX}night_"
"""Begins the names of the variables with further parameters of a night, which are made of `options`."""
OWN_OPTIONS = ("root", "output")
"""Of a night, that a place has as fields of its own."""
ROOT, OUTPUT = (str(NightRequest.model_fields[name].description) for name in OWN_OPTIONS)
DEVICE = str(Resources.model_fields["device"].description)


class Place(Options):
    """What deployments are told of the place they run in."""

    root: str = option(DEFAULT_ROOT, ROOT, common=True)
    output: str = option(DEFAULT_OUTPUT, OUTPUT, common=True)
    datasets: str = option("datasets", "Folder of the benchmarks' datasets.")
    schedule: str = option(
        "0 1 * * *", "When nights begin, as cron writes it. Default: every night at 1.", metavar="CRON", common=True
    )
    check_schedule: str = option(
        "0 19 * * *", "When flight checks begin, as cron writes it. Default: at 19.", metavar="CRON", common=True
    )
    timezone: str = option("Europe/Berlin", "Time zone of both schedules, such as Asia/Shanghai.", common=True)
    device: str = option("auto", DEVICE, common=True)
    engine: Literal["threads", "dask"] = option(
        "threads", "threads, one task after the other; or dask, a worker process for each GPU.", common=True
    )
    options: str = option(
        "{}",
        "Further parameters of nights and flight checks as JSON. Those of `musc nightly`, as in a deployment: "
        '{"settings": {"backbone": "texture"}, "export": "csv"}.',
        metavar="JSON",
        common=True,
    )
    pool: str = option(
        "musc", "Work pool of all deployments; made as one of processes if it is not there.", common=True
    )
    alert: str = option(
        "",
        "Notification block of the server through which messages are sent, such as slack-webhook/quality. Default: no "
        "messages.",
        metavar="TYPE/NAME",
        common=True,
    )
    overdue: float = option(
        26.0, "Hours without the end of any night after which a message is sent. Default: 26, for a night a day.", gt=0
    )

    @model_validator(mode="after")
    def _is_of_this_world(self) -> Self:
        for name, text in texts_in(self):
            require_no_secret(name, text, CREDENTIALS)
        for name in ("schedule", "check_schedule"):
            if len(getattr(self, name).split()) not in (5, 6):
                raise ValueError(
                    f"{name} must be five fields of cron, got {getattr(self, name)!r}; '0 1 * * *' is every night at 1"
                )
        if self.timezone not in available_timezones():
            raise ValueError(
                f"timezone must be a name such as Europe/Berlin, got {self.timezone!r}; see "
                "en.wikipedia.org/wiki/List_of_tz_database_time_zones"
            )
        parameters: Mapping[str, Any] = self.night_parameters
        NightRequest(**parameters)
        return self

    @property
    def night_parameters(self) -> dict[str, JsonValue]:
        """Parameters of a night and of a flight check.

        Raises:
            ValueError: if the further ones are no JSON object, or say what is an option of its own.
        """
        try:
            further = json.loads(self.options or "{}")
        except ValueError as error:
            raise ValueError(f"options must be JSON, got {self.options!r} ({error}); put quotes around it") from None
        if not isinstance(further, dict):
            raise ValueError(f"options must be a JSON object, got {self.options!r}; write {{}} for none")
        if own := [name for name in OWN_OPTIONS if name in further]:
            raise ValueError(f"options must not hold {own[0]}, got {self.options!r}; give --{own[0]}")
        resources = further.pop("resources", {})
        here = {"device": self.device, "engine": self.engine}
        return {
            "root": self.root,
            "output": self.output,
            **further,
            "resources": {**here, **resources} if isinstance(resources, dict) else resources,
        }

    @property
    def variables(self) -> dict[str, JsonValue]:
        """Every Prefect Variable of a place."""
        own = {f"{PREFIX}{name}": value for name, value in self}
        parameters = self.night_parameters
        further = {f"{OF_NIGHTS}{name}": parameters.get(name, unset(name)) for name in FURTHER}
        return {**own, **further}


FURTHER = tuple(name for name in NightRequest.model_fields if name not in OWN_OPTIONS)
"""Parameters of a night that a place has no field for."""


def unset(name: str) -> JsonValue:
    """A parameter of a night that nobody gave, as JSON."""
    default = NightRequest.model_fields[name].default
    return {} if isinstance(default, Options) else list(default) if isinstance(default, tuple) else default


def place_from(
    given: Mapping[str, object], environment: Mapping[str, str], kept: Mapping[str, object]
) -> tuple[Place, dict[str, str]]:
    """A place from what is known of it, and where each value comes from.

    Args:
        given: options on the command line, which win.
        environment: variables of the process: `MUSC_ROOT` and so on.
        kept: Prefect Variables of the server by name, such as `musc_root`.

    Raises:
        ValueError: naming the option that is out of range.
    """
    values: MutableMapping[str, Any] = {}
    sources: dict[str, str] = {}
    for name in Place.model_fields:
        variable = f"{PREFIX}{name}"
        for source, found, key in (
            ("given", given, name),
            (f"of the environment, {variable.upper()}", environment, variable.upper()),
            ("kept", kept, variable),
        ):
            if key in found:
                values[name], sources[name] = found[key], source
                break
        else:
            sources[name] = "default"
    return Place(**values), sources
