"""The rooms' import order, read from the sources: flows → tasks → {musc, storage}, and cli calls the flows."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "musc": {"storage", "tasks", "flows", "web", "cli", "prefect", "prefect_dask"},
    "storage": {"musc", "tasks", "flows", "web", "cli", "prefect", "prefect_dask", "torch"},
    "tasks": {"flows", "web", "cli"},
    "flows": {"web", "cli"},
    "web": {"flows", "cli", "prefect", "prefect_dask", "torch"},
}

KNOW_PREFECT = {
    "tasks": {"caching", "publish", "automations"},
    "flows": {"engine", "hooks", "score_lot", "score_lots", "benchmark", "rescore_run"},
}
"""The only modules of their rooms that import Prefect, so that a run without a server never loads it."""


def imported_names(source: str) -> set[str]:
    """Top-level packages imported anywhere in a module, `import_module("…")` with a literal name included."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"}:
                names.append(str(node.args[0].value))
    return {name.split(".")[0] for name in names}


def violations(room: str, source: str) -> set[str]:
    """What a module of the room imports though it must not."""
    return imported_names(source) & FORBIDDEN[room]


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_keep_the_order_of_rooms(room: str) -> None:
    modules = sorted((ROOT / room).rglob("*.py"))
    assert modules, f"{room} must hold modules"
    found = {str(path.relative_to(ROOT)): violations(room, path.read_text("utf-8")) for path in modules}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("room", KNOW_PREFECT)
def test_few_modules_know_prefect(room: str) -> None:
    found = {path.stem for path in (ROOT / room).glob("*.py") if "prefect" in imported_names(path.read_text("utf-8"))}
    assert found == KNOW_PREFECT[room]


@pytest.mark.parametrize(
    "source",
    [
        "import prefect",
        "import os, prefect.cache_policies as policies",
        "from prefect import task",
        "from prefect.futures import wait",
        "def later():\n    from prefect import get_run_logger\n",
        "if True:\n    import prefect",
        "from importlib import import_module\nimport_module('prefect.flows')",
        "import importlib\nimportlib.import_module('prefect')",
        "__import__('prefect')",
    ],
)
@pytest.mark.parametrize("room", ["musc", "storage"])
def test_violation_is_found(room: str, source: str) -> None:
    assert violations(room, source) == {"prefect"}


@pytest.mark.parametrize(
    ("room", "name"), [(room, name) for room, names in FORBIDDEN.items() for name in sorted(names)]
)
def test_violation_is_found_for_every_forbidden_name(room: str, name: str) -> None:
    assert violations(room, f"from {name}.inner import thing") == {name}


@pytest.mark.parametrize(
    "source", ["# import prefect", "'import prefect'", "from .prefect import x", "import prefectly"]
)
def test_lawful_source_has_no_violation(source: str) -> None:
    assert violations("musc", source) == set()
