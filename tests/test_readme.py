"""What the README shows is so: its commands run, its code runs, its links lead somewhere."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.main import app
from storage.datasets.synthetic.lot import write_lot

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
QUICKLY = "--backbone texture --image-size 64"
"""Added where the default would take longer than a test should."""
RUN = {
    "musc score photographs/ --output results": (QUICKLY, "Report in"),
    "musc plan photographs/": (QUICKLY, "Scoring photographs with texture"),
    "musc show FOLDER": ("", "Most anomalous of 8 images"),
    "musc reproduce RUN": ("", "Identical: all scores of 8 images"),
    "musc clean results": ("", "Nothing to free"),
    "musc benchmark DATASET ROOT": (QUICKLY, "image auroc"),
    "musc benchmark mvtec_ad ../shared/data/mvtec_ad --categories bottle --backbone efficientnet-lite0": (
        "--image-size 64",
        "image auroc",
    ),
    "musc check lots/": (QUICKLY, "4 of 4 scored"),
    "musc nightly lots/": (QUICKLY, "1 scored"),
    "musc --help": ("", "nightly"),
}
"""Command as shown -> what is added to it here, and words of its output; each finds what those before it made."""
SERVED = "musc web results"
"""Runs until it is stopped, so it is tried by itself."""
WATCHED = "musc watch FOLDER --good GOOD"
"""So does this one; `tests/flows/test_watch.py` tries it."""
TUNED = "musc tune PRODUCT"
"""It needs verdicts; `tests/flows/test_tune.py` tries it."""
RECIPES = {
    "demo": "$(RUN)musc demo",
    "test": "$(RUN)python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(PYTEST_OPTIONS)",
    "api": "$(RUN)python docs/api.py site",
}
"""Make's targets -> what they run; `tests/cli/test_demo.py` and `tests/test_api.py` try the first and the last."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands(program: str) -> set[str]:
    """Every command line of a program: after a `$` in a console block, or in backticks."""
    typed = re.findall(r"^\$ (.*?)(?:\s+#.*)?$", "".join(blocks("console")), re.MULTILINE)
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    mentioned = re.findall(r"`([^`\n]+)`", prose)
    return {line for line in (*typed, *mentioned) if line.startswith(f"{program} ")}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything the commands name: photographs, lots and a labelled dataset."""
    folder = tmp_path_factory.mktemp("workplace")
    for name in ("labelled/cast", "shared/data/mvtec_ad/bottle"):
        write_lot(folder / name, good_count=6, defective_count=2, size=64)
    for lot in ("photographs", "lots/cast/2026-11-21"):
        shutil.copytree(folder / "labelled" / "cast" / "test", folder / lot)
    return folder


def run(shown: str, workplace: Path) -> str:
    """The output of a command in the workplace, its placeholders filled in."""
    added, _ = RUN[shown]
    (past,) = list(workplace.glob("results/runs/photographs-*")) or ["not yet"]
    meant = {"FOLDER": str(past), "RUN": str(past), "DATASET": "folder", "ROOT": "labelled"}
    meant["../shared/data/mvtec_ad"] = "shared/data/mvtec_ad"
    words = [meant.get(word, word) for word in shlex.split(f"{shown} {added}")[1:]]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done.output


def headings(text: str) -> list[str]:
    """The column headings of the ranking."""
    line = next(line for line in text.splitlines() if line.startswith("┃ rank"))
    return [heading.strip() for heading in line.split("┃")]


def test_commands_of_the_readme_run(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workplace)
    said = {shown: run(shown, workplace) for shown in RUN}
    assert [shown for shown, (_, words) in RUN.items() if words not in said[shown]] == []
    assert headings(README) == headings(said["musc score photographs/ --output results"])
    for name in re.findall(r"^\| `([\w/.]+)` \|", README, re.MULTILINE):
        assert list(workplace.glob(f"results/runs/photographs-*/{name}")), f"{name} must be among the results"


def test_every_musc_command_of_the_readme_is_run() -> None:
    assert commands("musc") == {*RUN, SERVED, WATCHED, TUNED}


def test_site_of_the_readme_is_served(workplace: Path) -> None:
    (workplace / "results" / "runs").mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "cli", *SERVED.split()[1:], "--port", str(port)]
    paths = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=workplace, env=paths, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
    assert f"The review site of results is at http://127.0.0.1:{port}/" in said


def test_make_commands_of_the_readme_do_what_is_tested() -> None:
    assert commands("make") == {f"make {target}" for target in RECIPES}
    for target, recipe in RECIPES.items():
        (lines,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
        assert lines == f"\t{recipe}\n"


def test_options_of_the_readme_are_options_of_score() -> None:
    known = {name for parameter in typer.main.get_command(app).commands["score"].params for name in parameter.opts}
    named = set(re.findall(r"`(--[\w-]+)", README))
    assert len(named) > 5
    assert named <= known


def test_python_of_the_readme_scores(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = blocks("python")
    assert shown.count('"efficientnet-lite0"') == 1
    monkeypatch.chdir(workplace)
    names: dict[str, object] = {}
    exec(shown.replace('"efficientnet-lite0"', '"texture", image_size=64'), names)
    scores = names["scores"]
    assert scores.image_scores.shape == (8,)
    assert scores.anomaly_maps.shape == (8, 64, 64)


def test_links_of_the_readme_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    for link in links:
        path, _, anchor = link.partition("#")
        assert (ROOT / path).exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.+)$", (ROOT / path).read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= set(links)


def test_files_that_documents_name_are_there() -> None:
    """Paths of modules and tests from the top of the project, in every page but the list of changes."""
    rooms = "|".join(
        [
            *(
                "benchmarks",
                "cli",
                "docs",
                "examples",
                "flows",
                "musc",
                "planning",
                "reports",
                "storage",
                "tasks",
                "tests",
            ),
            "web",
        ]
    )
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    named = {
        (page.name, path)
        for page in pages
        if page.name != "CHANGELOG.md"
        for path in re.findall(rf"(?<![\w/.])(?:{rooms})/[\w/]+\.\w+", page.read_text("utf-8"))
    }
    assert len(named) > 50
    assert sorted((page, path) for page, path in named if not (ROOT / path).exists()) == []
