"""The order of imports, read from the sources.

cli → flows → tasks → reports → planning → {musc, storage}, and cli → web → reports. Inside a
room, folders have an order too.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PREFECT = frozenset({"prefect", "prefect_dask"})
ALLOWED = {
    "cli": {"web", "flows", "tasks", "reports", "planning", "musc", "storage"},
    "flows": {"tasks", "reports", "planning", "musc", "storage"},
    "web": {"reports", "musc", "storage"},
    "tasks": {"reports", "planning", "musc", "storage"},
    "reports": {"planning", "musc", "storage"},
    "planning": {"musc", "storage"},
    "musc": set[str](),
    "storage": set[str](),
}
"""Every room, and the rooms below that it may import."""
WITHOUT = dict.fromkeys(("musc", "planning", "reports"), PREFECT)
WITHOUT |= dict.fromkeys(("storage", "web"), PREFECT | frozenset({"torch"}))
"""Libraries that a room must not import."""
FORBIDDEN = {room: (ALLOWED.keys() - below - {room}) | WITHOUT.get(room, set()) for room, below in ALLOWED.items()}

BELOW = {
    "tasks": {"tuning", "watching", "flight_check", "runtime", "monitoring"},
    "tasks/flight_check": {"runtime"},
    "tasks/tuning": set[str](),
    "tasks/watching": {"runtime"},
    "tasks/runtime": {"monitoring"},
    "tasks/monitoring": set[str](),
    "reports": {"languages"},
    "reports/page": {"languages"},
    "reports/evaluation": set[str](),
    "reports/tuning": {"languages"},
    "reports/languages": set[str](),
}
"""Rooms that hold folders, these folders, and the folders of the same room that each may import."""

INSIDE = {
    "musc": "option_ranges backbone_families layers settings array_checks threads grids region tiles lnamd "
    "kernels maps image_scores rscin metrics decisions tuning backbones plan mutual lot",
    "storage": "errors given_names secrets local_time paths_and_urls store folder_names listed_folders disk_space "
    "tables artefacts leases attempts images results products datasets prune",
}
"""The modules and folders of a room from the lowest to the highest: each imports only those before it."""

KNOW_PREFECT = {
    "tasks": {"runtime/prefect_tasks"}
    | {f"monitoring/{name}" for name in ("alerts", "artifacts", "automations", "events")},
    "flows": {
        "runners",
        "devices/holders",
        "devices/lease",
        "devices/limit",
        "one_thread",
        "packed_tasks",
        "failed_runs",
        "flight_check",
        "score_lot",
        "score_lots",
        "benchmark",
        "reproduce_run",
        "tune",
    },
}
"""The only modules of their rooms that import Prefect, so that a run without a server never loads it."""

MAX_MODULES, MAX_LINES = 15, 300


def imported_modules(source: str) -> set[str]:
    """Modules imported anywhere in a module, `import_module("…")` with a literal name included."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"}:
                names.append(str(node.args[0].value))
    return set(names)


def imported_names(source: str) -> set[str]:
    """Top-level packages imported anywhere in a module."""
    return {name.split(".")[0] for name in imported_modules(source)}


def violations(room: str, source: str) -> set[str]:
    """What a module of the room imports though it must not."""
    return imported_names(source) & FORBIDDEN[room]


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_keep_the_order_of_rooms(room: str) -> None:
    modules = sorted((ROOT / room).rglob("*.py"))
    assert modules, f"{room} must hold modules"
    found = {str(path.relative_to(ROOT)): violations(room, path.read_text("utf-8")) for path in modules}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize("folder", BELOW)
def test_imports_inside_a_room_keep_their_order(folder: str) -> None:
    room, _, own = folder.partition("/")
    for path in sorted((ROOT / folder).glob("*.py")):
        modules = (name.split(".") for name in imported_modules(path.read_text("utf-8")) if name.startswith(f"{room}."))
        folders = {parts[1] for parts in modules if (ROOT / room / parts[1]).is_dir()}
        assert folders - BELOW[folder] - {own} == set(), path.relative_to(ROOT)


@pytest.mark.parametrize("room", INSIDE)
def test_imports_inside_a_room_go_down_only(room: str) -> None:
    order = INSIDE[room].split()
    found = {path.stem if path.is_file() else path.name for path in (ROOT / room).iterdir()}
    assert sorted(order) == sorted(found - {"__init__", "__pycache__"}), "give every module its place in the order"
    for place, name in enumerate(order):
        folder, module = ROOT / room / name, ROOT / room / f"{name}.py"
        for path in folder.rglob("*.py") if folder.is_dir() else [module]:
            named = (other.split(".") for other in imported_modules(path.read_text("utf-8")))
            imported = {parts[1] for parts in named if parts[0] == room and len(parts) > 1}
            assert imported & set(order[place + 1 :]) == set(), path.relative_to(ROOT)


@pytest.mark.parametrize("room", KNOW_PREFECT)
def test_few_modules_know_prefect(room: str) -> None:
    folder = ROOT / room
    found = {
        path.relative_to(folder).with_suffix("").as_posix()
        for path in folder.rglob("*.py")
        if imported_names(path.read_text("utf-8")) & PREFECT
    }
    assert found == KNOW_PREFECT[room]


@pytest.mark.parametrize("room", [*ALLOWED, "benchmarks"])
def test_folders_are_small(room: str) -> None:
    folders = {path.parent for path in (ROOT / room).rglob("*.py")}
    counts = {
        str(folder.relative_to(ROOT)): len({*folder.glob("*.py")} - {folder / "__init__.py"}) for folder in folders
    }
    assert {name: count for name, count in counts.items() if count > MAX_MODULES} == {}


@pytest.mark.parametrize("room", [*ALLOWED, "benchmarks", "tests"])
def test_files_are_small(room: str) -> None:
    lines = {str(path): len(path.read_text("utf-8").splitlines()) for path in (ROOT / room).rglob("*.py")}
    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def untyped_dicts(source: str) -> list[int]:
    """Lines of a module that say `dict[str, Any]`, which hides from readers and mypy what the values are."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            last = node.slice.elts[-1]
            value = last.attr if isinstance(last, ast.Attribute) else getattr(last, "id", "")
            if name in {"dict", "Dict"} and value == "Any":
                found.append(node.lineno)
    return sorted(found)


@pytest.mark.parametrize("room", ALLOWED)
def test_values_have_types_of_their_own(room: str) -> None:
    found = {str(path): untyped_dicts(path.read_text("utf-8")) for path in sorted((ROOT / room).rglob("*.py"))}
    assert {path: lines for path, lines in found.items() if lines} == {}, "make it a dataclass, TypedDict or model"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def read(path: str) -> dict[str, Any]: ...", [1]),
        ("class A:\n    facts: typing.Dict[str, typing.Any]\n", [2]),
        ("def keep(rows: list[dict[str, Any]]) -> None:\n    known: dict[int, Any] = {}", [1, 2]),
        ("def read(path: str) -> dict[str, object]: ...", []),
        ("# dict[str, Any]\ncounts: dict[str, int] = {}", []),
    ],
)
def test_untyped_dict_is_found(source: str, lines: list[int]) -> None:
    assert untyped_dicts(source) == lines


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
