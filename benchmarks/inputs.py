"""What several benchmarks share: a drawn lot, a model of random weights, and the command line over labelled folders."""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from musc.settings import DEFAULT_BACKBONE
from storage.datasets.synthetic.lot import write_lot


def make_lot(folder: Path, image_count: int, size: int) -> Path:
    """A folder of drawn parts of size × size pixels, every tenth of them defective."""
    defective_count = image_count // 10
    write_lot(folder, good_count=image_count - defective_count, defective_count=defective_count, size=size)
    return folder / "test"


def make_weights(model: str, folder: Path) -> Path:
    """The image tower of an open_clip model with seeded random weights, as a file.

    Args:
        model: a name open_clip knows, or the path of a JSON file that describes the model `<stem>`.
        folder: where the file is put.
    """
    import open_clip  # which takes longer to load than all else that most benchmarks need

    torch.manual_seed(0)
    tower = open_clip.create_model(model_name(model)).visual.state_dict()
    safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in tower.items()}, folder / "w.safetensors")
    return folder / "w.safetensors"


def model_name(model: str) -> str:
    """The name of a model; a JSON file is made known to open_clip first."""
    if not model.endswith(".json"):
        return model
    import open_clip

    json.loads(Path(model).read_text())  # open_clip passes over files it cannot read
    open_clip.add_model_config(model)
    return Path(model).stem


def folder_parser(description: str | None) -> argparse.ArgumentParser:
    """A command line of labelled folders and a backbone: `roots` and `--backbone`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", type=Path, nargs="+", help="labelled folders, as for `musc benchmark folder`")
    parser.add_argument("--backbone", default=DEFAULT_BACKBONE)
    return parser


def add_lot_options(parser: argparse.ArgumentParser, *, shares: Sequence[float], draws: int) -> None:
    """Add what decides the lots that are drawn from a folder's photographs: `--image-size`, `--shares`, `--draws`."""
    parser.add_argument("--image-size", type=int, help="side in pixels; the backbone's own unless given")
    parser.add_argument("--shares", type=float, nargs="*", default=shares, help="fractions of defective parts")
    parser.add_argument("--draws", type=int, default=draws, help="lots of each share")


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json`, the file for `print_table`."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured to this file as well")


def table_row(cells: Iterable[str]) -> str:
    """A row of a Markdown table.

    >>> table_row(["bottle", "0.99"])
    '| bottle | 0.99 |'
    """
    return f"| {' | '.join(cells)} |"


def print_table(
    titles: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    text_of: Callable[[Any], str],
    json_file: Path | None,
) -> None:
    """Print a table that Markdown understands, each row as soon as it is measured.

    Args:
        titles: of its columns.
        rows: what is measured, plain JSON values by name.
        text_of: the line of a row.
        json_file: gets all rows at the end; None writes no file.
    """
    print(table_row(titles), "|---" * len(titles) + "|", sep="\n")
    measured = []
    for row in rows:
        measured.append(row)
        print(text_of(row), flush=True)
    if json_file:
        json_file.write_text(json.dumps(measured, indent=2))
