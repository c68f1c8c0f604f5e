"""The API reference is made without a warning and holds every public name with its docstring."""

import html
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PUBLIC = {
    **{name: import_module(name).__all__ for name in ("musc", "musc.backbones", "musc.metrics")},
    "musc.lnamd": ["aggregate"],
    "musc.mutual": ["mutual_scores"],
    "musc.maps": ["anomaly_maps", "image_scores"],
    "musc.rscin": ["rescore"],
    "musc.backbones.pil_images": ["upright_rgb"],
    "storage.results.runs": ["Run", "run_at"],
    "storage.store": ["Store"],
    "flows.score_lot": ["score_lot"],
    "flows.score_lots": ["score_lots"],
    "flows.benchmark": ["benchmark"],
    "flows.reproduce_run": ["reproduce_run"],
    "flows.tune": ["tune"],
}


@pytest.fixture(scope="module")
def site(prefect_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference, as `make api` writes it."""
    assert "\napi: setup\n\t$(RUN)python docs/api.py site\n" in (ROOT / "Makefile").read_text("utf-8")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-W", "error", "docs/api.py", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def words(text: str) -> str:
    """Letters and digits only: markdown's signs and HTML's entities are gone."""
    return " ".join(re.findall(r"\w+", html.unescape(text)))


def shown(site: Path, module: str, name: str) -> str:
    """The words that stand below a name."""
    page = (site / f"{module.replace('.', '/')}.html").read_text("utf-8")
    section = re.search(rf'<section id="{name}">(.*?)</section>', page, re.DOTALL)
    assert section, f"{module} must show {name}"
    return words(re.sub("<[^>]+>", "", section[1]))


def docstring(value: Any) -> str:
    return inspect.getdoc(getattr(value, "fn", value)) or ""


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_shown_with_their_docstrings(site: Path, module: str) -> None:
    assert PUBLIC[module]
    for name in PUBLIC[module]:
        written = docstring(getattr(import_module(module), name))
        assert len(words(written.splitlines()[0])) > 10
        assert words(written.splitlines()[0]) in shown(site, module, name)


def test_arguments_of_a_flow_are_explained(site: Path) -> None:
    assert "folder Path or URL of a folder of images" in shown(site, "flows.score_lot", "score_lot")


def test_index_names_every_module(site: Path) -> None:
    index = (site / "index.html").read_text("utf-8")
    assert [module for module in PUBLIC if f'href="{module.replace(".", "/")}.html"' not in index] == []
