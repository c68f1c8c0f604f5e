"""Write the API reference, HTML made from the docstrings.

python docs/api.py site
"""

import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pdoc
from prefect import Flow

import musc

MODULES = (
    *("musc", "musc.settings", "musc.backbones", "musc.lnamd", "musc.mutual", "musc.maps", "musc.rscin"),
    *(
        "musc.backbones.pil_images",
        "musc.metrics",
        "musc.decisions.decide_images",
        "musc.decisions.choose_threshold",
        "musc.decisions.groups",
        "musc.plan.shards",
    ),
    *("storage.results.runs", "storage.store", "storage.tables", "storage.errors"),
    *("flows.score_lot", "flows.score_lots", "flows.benchmark", "flows.reproduce_run", "flows.tune"),
)
"""What people and their programs call."""


def write_reference(folder: Path) -> None:
    """Write a page for each of `MODULES`, an index and the search's data into a folder."""
    for name in MODULES:
        prepare(import_module(name))
    specs = [spec for name in MODULES for spec in (name, f"!{re.escape(name)}[.]")]  # the module, not those below it
    pdoc.render.configure(docformat="google", show_source=False, footer_text=f"musc {musc.__version__}")
    pdoc.pdoc(*specs, output_directory=folder)


def prepare(module: ModuleType) -> None:
    """Make everything in a module visible to pdoc, which looks for plain names and plain functions."""
    for name in getattr(module, "__all__", ()):
        setattr(module, name, getattr(module, name))  # loaded when first used
    for name, value in list(vars(module).items()):
        if isinstance(value, Flow):
            setattr(module, name, value.fn)


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
