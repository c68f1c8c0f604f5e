"""Every example runs as its first lines say, and shows what was computed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from storage.results.runs import Run
from storage.store import Store

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def output_of(example: str, *arguments: object) -> str:
    """What an example prints."""
    command = [sys.executable, str(EXAMPLES / example), *map(str, arguments)]
    done = subprocess.run(command, cwd=EXAMPLES.parent, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_heatmaps_are_drawn(parts: Path, tmp_path: Path) -> None:
    picture = tmp_path / "heatmaps.png"
    output_of("heatmaps.py", parts / "test", picture, "--backbone", "texture", "--image-size", "64")
    with Image.open(picture) as drawn:
        colours = np.asarray(drawn.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(colours, axis=0)) > 1000


def test_results_are_read_without_the_project(parts: Path, tmp_path: Path) -> None:
    from tests.flat import score_lot

    store = tmp_path / "results"
    done = score_lot(str(parts / "test"), str(store), backbone="texture", image_size=64)
    said = output_of("read_results.py", store / done.run)
    run = Run(Store(str(store)), done.run)
    worst, images = run.scores().iloc[0], run.images()
    assert worst["path"] in said.splitlines()[1]
    assert f"ok    {done.images}" in said
    of_worst = run.patch_scores()[images.loc[images["status"] == "ok", "path"].to_list().index(worst["path"])]
    row, column = np.unravel_index(of_worst.argmax(), of_worst.shape)
    assert f"{worst['path']}: highest patch at row {row} of {len(of_worst)}, column {column} of" in said
