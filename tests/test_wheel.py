"""The built wheel holds every package and data file of the rooms: an installed project is whole."""

import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("cli", "flows", "musc", "planning", "reports", "storage", "tasks", "web")
NEEDED = (*ROOMS, "pyproject.toml", "README.md", "LICENSE")


def test_wheel_holds_every_file_of_the_rooms(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in NEEDED:
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, source / name)
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(source).as_posix() for room in ROOMS for path in (source / room).rglob("*") if path.is_file()
    }
    assert wanted - held == set()


def test_no_dependency_installs_a_package_named_as_one_of_ours() -> None:
    ours = {*ROOMS, "tests", "benchmarks", "examples", "docs"}
    found = packages_distributions()
    taken = {name: set(found[name]) - {"musc-pipeline"} for name in ours & found.keys()}
    assert {name: others for name, others in taken.items() if others} == {}, "ours would not be imported any more"
