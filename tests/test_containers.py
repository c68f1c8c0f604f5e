"""What `deploy/` says of containers agrees with the project: commands, options, settings, paths and versions exist."""

import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from prefect.settings import Settings as PrefectSettings
from pydantic_settings import BaseSettings

from cli.main import app
from planning.place import PREFIX, Place

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text("utf-8"))
CUDA: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.cuda.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if name != "database"}
ENTRYPOINT = ROOT / "deploy/entrypoint.sh"


def instructions(keyword: str) -> list[str]:
    """What follows a keyword in the Dockerfile, continued lines joined."""
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    return [line.removeprefix(keyword).strip() for line in lines if line.startswith(f"{keyword} ")]


def prefect_variables(settings: type[BaseSettings]) -> set[str]:
    """Every environment variable that Prefect reads."""
    found = set()
    for name, field in settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseSettings):
            found |= prefect_variables(field.annotation)
        else:
            aliases = [alias for alias in getattr(field.validation_alias, "choices", ()) if isinstance(alias, str)]
            found |= {f"{settings.model_config.get('env_prefix', '')}{name}".upper(), *map(str.upper, aliases)}
    return found


def test_containers_name_settings_that_prefect_and_places_have() -> None:
    set_in_image = re.findall(r"([A-Z_]+)=", " ".join(instructions("ENV")))
    set_by_compose = [name for service in OURS.values() for name in service.get("environment", {})]
    known = {
        *prefect_variables(PrefectSettings),
        *(f"{PREFIX}{name}".upper() for name in Place.model_fields),
        *("PATH", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "DO_NOT_TRACK"),
    }
    assert {*set_in_image, *set_by_compose, *COMPOSE["secrets"]} <= known


def test_containers_run_commands_of_musc_with_options_it_has() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    ran = [service["command"][1:] for service in OURS.values() if service["command"][0] == "musc"]
    assert sorted(words[0] for words in ran) == ["deploy", "web"]
    for name, *words in ran:
        with commands[name].make_context(name, list(words)) as context:
            assert context.params


@pytest.mark.slow
def test_containers_run_commands_of_prefect_with_options_it_has() -> None:
    for words in (service["command"] for service in OURS.values() if service["command"][0] == "prefect"):
        _, group, verb, *options = words
        shown = subprocess.run(
            [sys.executable, "-m", "prefect", group, verb, "--help"], capture_output=True, text=True, timeout=120
        ).stdout
        for option in filter(lambda word: word.startswith("--"), options):
            assert f" {option} " in shown, option


def test_worker_serves_the_work_pool_and_type_that_musc_deploy_makes() -> None:
    command = shlex.join(SERVICES["worker"]["command"])
    assert f"--pool {Place().pool} --type process --limit 1" in command
    assert SERVICES["worker"]["depends_on"] == {"deploy": {"condition": "service_completed_successfully"}}


def test_paths_of_a_place_are_where_volumes_are_mounted() -> None:
    mounts = dict(volume.rsplit(":", 2)[-2:] for volume in SERVICES["worker"]["volumes"] if volume.endswith(":ro"))
    assert mounts == {SERVICES["worker"]["environment"]["MUSC_ROOT"]: "ro"}
    for service in (SERVICES["worker"], SERVICES["site"]):
        assert f"store:{SERVICES['worker']['environment']['MUSC_OUTPUT']}" in service["volumes"]
    assert SERVICES["site"]["command"][2] == "/store"
    assert "/lots /store /var/lib/musc" in DOCKERFILE, "a new volume belongs to whom its folder in the image belongs to"


def test_only_loopback_is_published_and_every_lasting_service_has_a_health_check() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"deploy"}


def test_passwords_are_files_and_no_values() -> None:
    given = [str(value) for service in SERVICES.values() for value in service.get("environment", {}).items()]
    assert not [text for text in given if "PASSWORD" in text and "/run/secrets/" not in text]
    (path,) = (secret["file"] for secret in COMPOSE["secrets"].values())
    assert f"/deploy/{Path(path).parent}/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_image_holds_what_its_build_and_its_commands_need_and_nothing_else() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    assert all((ROOT / path).exists() for path in kept)
    compiled = re.search(r"compileall -q ([a-z ]+)", DOCKERFILE)
    assert compiled is not None
    packages = set(compiled[1].split())
    assert packages <= set(kept)
    built_from = {"constraints.txt", "pyproject.toml", "README.md", "LICENSE", "prefect.yaml", "deploy/entrypoint.sh"}
    assert set(kept) == packages | built_from
    assert all((ROOT / found).exists() for found in re.findall(r"/opt/musc/([\w./]+)", DOCKERFILE))


def test_packages_of_the_image_are_the_project_s_and_pinned() -> None:
    install = next(line for line in instructions("RUN") if "--requirements" in line)
    extras = re.findall(r"--extra (\w+)", install)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert "--constraints constraints.txt" in install
    assert all(f"\n{extra} = [" in project for extra in extras)
    assert all("--no-cache" in line for line in instructions("RUN") if " install" in line and "pip" in line)
    assert re.search(r"uv==[\d.]+", DOCKERFILE)


def test_image_runs_as_a_user_without_rights() -> None:
    assert instructions("USER") == ["musc"]
    assert DOCKERFILE.index("USER musc") < DOCKERFILE.index("ENTRYPOINT")
    for name, service in OURS.items():
        assert service["cap_drop"] == ["ALL"], name


def test_cuda_file_adds_to_services_and_arguments_that_exist() -> None:
    assert CUDA["services"].keys() <= SERVICES.keys()
    arguments = {argument.partition("=")[0] for argument in instructions("ARG")}
    assert CUDA["services"]["server"]["build"]["args"].keys() <= arguments
    assert fnmatch(CUDA["services"]["server"]["build"]["args"]["TORCH_BACKEND"], "${TORCH_BACKEND:-cu*}")


def test_entrypoint_makes_variables_of_secrets_and_starts_the_command(tmp_path: Path) -> None:
    (tmp_path / "AWS_SECRET_ACCESS_KEY").write_text("a b$c'd\n")
    (tmp_path / "notes.txt").write_text("no variable")
    environment = {**os.environ, "MUSC_SECRETS": str(tmp_path)}
    command = ["sh", str(ENTRYPOINT), "printenv", "AWS_SECRET_ACCESS_KEY"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "a b$c'd\n"), done.stderr


def test_entrypoint_starts_the_command_without_secrets(tmp_path: Path) -> None:
    environment = {**os.environ, "MUSC_SECRETS": str(tmp_path / "absent")}
    done = subprocess.run(["sh", str(ENTRYPOINT), "echo", "a b"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "a b\n"), done.stderr
