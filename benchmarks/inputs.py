"""What benchmarks of the pipeline work on: a drawn lot, and a model of random weights."""

import json
from pathlib import Path

import open_clip
import safetensors.torch
import torch

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
    torch.manual_seed(0)
    tower = open_clip.create_model(model_name(model)).visual.state_dict()
    safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in tower.items()}, folder / "w.safetensors")
    return folder / "w.safetensors"


def model_name(model: str) -> str:
    """The name of a model; a JSON file is made known to open_clip first."""
    if not model.endswith(".json"):
        return model
    json.loads(Path(model).read_text())  # open_clip passes over files it cannot read
    open_clip.add_model_config(model)
    return Path(model).stem
