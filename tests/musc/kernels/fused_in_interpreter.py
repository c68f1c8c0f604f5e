"""Runs the fused kernel in Triton's interpreter, which must be asked for before Triton is first imported.

Reads cases as JSON from the standard input, and writes what the kernel found as an .npz file named by its argument.
"""

import json
import os
import sys

os.environ["TRITON_INTERPRET"] = "1"

import numpy as np
import torch

from musc.kernels import fused
from musc.mutual import mutual_scores


def run(case: dict) -> np.ndarray:
    """What `test_fused.expected` computes the plain way."""
    features = torch.tensor(case["features"]).to(getattr(torch, case["dtype"]))
    image_count, patch_count, _ = features.shape
    tile = fused.Tile(*case["tile"])
    if case["what"] == "scores":
        return mutual_scores(features, fused=True).numpy()
    if case["what"] == "symmetric":
        nearest = torch.full((image_count, image_count + 3, patch_count), case["before"])
        fused.fill_symmetric(nearest[:, 2 : 2 + image_count], features, tile=tile)
        return nearest.numpy()
    nearest = torch.full((2, image_count - 2, patch_count), case["before"])
    fused.fill_directed(nearest, features[:2], features[2:], tile=tile)
    return nearest.numpy()


if __name__ == "__main__":
    torch.set_num_threads(1)
    np.savez(sys.argv[1], **{name: run(case) for name, case in json.load(sys.stdin).items()})
