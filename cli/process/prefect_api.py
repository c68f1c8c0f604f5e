"""The Prefect API that a person has configured, found and tried without loading Prefect."""

import os
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cli.process.environment import LOOPBACK

VARIABLE = "PREFECT_API_URL"
PATIENCE_SECONDS = 3.0
"""For which a configured API is waited for, twice."""


@dataclass(frozen=True)
class ConfiguredApi:
    """An address, and what has set it."""

    url: str
    source: str
    """Such as `the variable PREFECT_API_URL`."""
    way_out: str
    """How to do without it."""

    @property
    def is_loopback(self) -> bool:
        """Whether it lies on this machine."""
        return urlsplit(self.url).hostname in LOOPBACK


def configured_api() -> ConfiguredApi | None:
    """The API of the environment, else of the active profile; None if there is none."""
    if url := os.environ.get(VARIABLE):
        return ConfiguredApi(url, f"the variable {VARIABLE}", f"unset {VARIABLE}")
    try:
        home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    except RuntimeError:  # an account without a home has no profile either
        home = Path("~/.prefect")
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    try:
        profiles = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError):  # no such file, or none that Prefect could read
        return None
    active = os.environ.get("PREFECT_PROFILE") or profiles.get("active", "")
    profile = profiles.get("profiles", {}).get(active, {})
    url = profile.get(VARIABLE) if isinstance(profile, dict) else None
    if not url:
        return None
    return ConfiguredApi(str(url), f"the profile {active!r} in {path}", f"run `prefect config unset {VARIABLE}`")


def require_answer(api: ConfiguredApi, without: str = "--engine inline") -> None:
    """Refuse to start with an API that does not answer.

    Args:
        without: the option that does without it.

    Raises:
        ConnectionError: naming the address, what has set it, and the ways out.
    """
    proxies = urllib.request.ProxyHandler({}) if api.is_loopback else urllib.request.ProxyHandler()
    opener, reason = urllib.request.build_opener(proxies), ""
    for _ in range(2):
        try:
            opener.open(f"{api.url.rstrip('/')}/health", timeout=PATIENCE_SECONDS).close()
        except urllib.error.HTTPError:  # it is there; what it refuses, Prefect says
            return
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "reason", error))
        else:
            return
    raise ConnectionError(
        f"Prefect's API must answer, got no answer from {api.url}, which {api.source} names ({reason}); "
        f"start that server, or {api.way_out}, or add {without}, which needs no server"
    )
