"""Variables, work pool and deployments of a Prefect server; each says whether it was created, updated or unchanged."""

import subprocess  # nosec B404
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import VariableCreate, VariableUpdate, WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterName
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from pydantic import JsonValue

PREFECT_FILE = "prefect.yaml"
PATIENCE_SECONDS = 600
CHANGES_BY_ITSELF = {
    *("id", "created", "updated", "created_by", "updated_by", "last_polled", "status"),
    *("version", "version_id", "version_info", "flow_id", "deployment_id"),
}
"""Of a deployment or its schedules, when it is deployed again or polled by a worker."""


def stored_variables(prefix: str) -> dict[str, JsonValue]:
    """The server's variables whose names begin so."""
    with get_client(sync_client=True) as client:
        return {found.name: found.value for found in client.read_variables(limit=None) if found.name.startswith(prefix)}


def keep_variables(variables: Mapping[str, JsonValue]) -> dict[str, str]:
    """Set variables; what became of each by its name."""
    outcomes = {}
    with get_client(sync_client=True) as client:
        for name, value in variables.items():
            found = client.read_variable_by_name(name)
            if found is None:
                client.create_variable(VariableCreate(name=name, value=value))
                outcomes[name] = "created"
            elif found.value != value:
                client.update_variable(VariableUpdate(name=name, value=value))
                outcomes[name] = "updated"
            else:
                outcomes[name] = "unchanged"
    return outcomes


def keep_work_pool(name: str) -> str:
    """Make a work pool of processes unless there is one of that name, of whatever type."""
    with get_client(sync_client=True) as client:
        try:
            found = client.read_work_pool(name)
        except ObjectNotFound:
            from prefect.workers.process import ProcessWorker

            template = ProcessWorker.get_default_base_job_template()
            client.create_work_pool(WorkPoolCreate(name=name, type="process", base_job_template=template))
            return "created"
    return f"unchanged, of type {found.type}"


def keep_deployments(folder: Path) -> dict[str, str]:
    """Deploy all that `prefect.yaml` of a folder lists, which becomes the folder that runs start in.

    Raises:
        FileNotFoundError: if there is no such file.
        RuntimeError: with what `prefect deploy` said, if it failed.
    """
    if not (folder / PREFECT_FILE).is_file():
        raise FileNotFoundError(
            f"working directory must be the project's folder, got {folder} without {PREFECT_FILE}; change to it"
        )
    names = [one["name"] for one in yaml.safe_load((folder / PREFECT_FILE).read_text("utf-8"))["deployments"]]
    before = dict(deployments(names))
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", PREFECT_FILE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)  # nosec B603
    after = dict(deployments(names))
    if done.returncode or not after.keys() >= set(names):
        raise RuntimeError(f"`prefect deploy --all` failed: {(done.stdout + done.stderr).strip()}")
    return {
        name: "created" if name not in before else "unchanged" if before[name] == after[name] else "updated"
        for name in names
    }


def deployments(names: list[str]) -> Iterator[tuple[str, dict[str, object]]]:
    """Those of the server that have these names, without what changes by itself; it may hold hundreds of others."""
    named = DeploymentFilter(name=DeploymentFilterName(any_=names))
    with get_client(sync_client=True) as client:
        for found in client.read_deployments(deployment_filter=named):
            yield found.name, lasting(found)


def lasting(deployment: DeploymentResponse) -> dict[str, object]:
    """What of a deployment a person decides."""
    content = deployment.model_dump(mode="json", exclude=CHANGES_BY_ITSELF | {"global_concurrency_limit"})
    schedules = content.pop("schedules") or []
    kept = [{name: value for name, value in one.items() if name not in CHANGES_BY_ITSELF} for one in schedules]
    limit = deployment.global_concurrency_limit
    return {**content, "schedules": kept, "limit": limit.limit if limit else None}
