"""From a list of PIL images to heatmaps, all in memory.

    python examples/heatmaps.py photographs/ heatmaps.png --backbone texture

The images must show one product, good and bad mixed. The cells below can be pasted into a notebook as they are.
"""

# %% What to read and where to draw
import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from PIL import Image

import musc
from musc.backbones.pil_images import upright_rgb
from musc.settings import DEFAULT_BACKBONE

options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
options.add_argument("folder", type=Path)
options.add_argument("picture", type=Path)
options.add_argument("--backbone", default=DEFAULT_BACKBONE)
options.add_argument("--image-size", type=int)
given = options.parse_args()

# %% A list of PIL images
paths = sorted(path for path in given.folder.rglob("*") if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".bmp"})
images = [upright_rgb(Image.open(path)) for path in paths]

# %% Score them against each other
scores = musc.score_images(images, backbone=given.backbone, image_size=given.image_size)

# %% Draw the four most anomalous; one colour scale for the whole lot, so that heatmaps can be compared
height, width = scores.anomaly_maps.shape[1:]
worst = scores.image_scores.argsort(descending=True)[:4].tolist()
figure, axes = plt.subplots(2, len(worst), figsize=(3 * len(worst), 6), squeeze=False, layout="constrained")
for (above, below), index in zip(axes.T, worst, strict=True):
    above.imshow(images[index].resize((width, height)))
    above.set_title(f"{paths[index].name}\nscore {scores.image_scores[index]:.3f}")
    heatmap = below.imshow(
        scores.anomaly_maps[index], cmap="inferno", vmin=scores.anomaly_maps.min(), vmax=scores.anomaly_maps.max()
    )
    above.set_axis_off()
    below.set_axis_off()
figure.colorbar(heatmap, ax=axes[1].tolist(), label="anomaly (distance, 0 to 2)")
figure.savefig(given.picture)
