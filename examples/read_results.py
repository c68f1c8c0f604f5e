"""Read a finished run with pandas and zarr only; this project need not be installed where results are read.

python examples/read_results.py results/runs/photographs-1a2b3c4d
"""

# %% The run's folder, as `musc score` prints it
import sys
from pathlib import Path

import pandas as pd
import zarr

run = Path(sys.argv[1])

# %% A row per scored image, most anomalous first
scores = pd.read_parquet(run / "scores.parquet")
print(scores[["rank", "path", "score", "raw_score", "peak_x", "peak_y"]].head().to_string(index=False))

# %% A row per file of the folder: what was not scored, and why
images = pd.read_parquet(run / "images.parquet")
print(images["status"].value_counts().to_string())

# %% Patch scores lie in the order of the files that were scored
patch_scores = zarr.open_group(run / "patch_scores.zarr", mode="r")["scores"]
scored = images.loc[images["status"] == "ok", "path"].to_list()
worst = scored.index(scores["path"].iloc[0])
rows, columns = patch_scores.shape[1:]
peak = patch_scores[worst].argmax()
print(f"{scored[worst]}: highest patch at row {peak // columns} of {rows}, column {peak % columns} of {columns}")
