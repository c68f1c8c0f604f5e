"""Lots and labelled datasets that are drawn for the flows' tests."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storage.datasets.synthetic.lot import write_lot

DEFECT = (slice(16, 32), slice(24, 40))
"""Rows and columns of the square that is the defect of every drawn defective image."""


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small generated lot in the MVTec AD layout: 14 good and 5 defective images."""
    folder = tmp_path_factory.mktemp("lot") / "cast"
    write_lot(folder, good_count=14, defective_count=5, size=128)
    return folder


def draw(path: Path, seed: int, *, defective: bool, size: int = 64) -> None:
    """Write an image of grey noise, where it is defective with a square of stripes in a colour of its own."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(60, 100, (size, size, 1), dtype=np.uint8).repeat(3, axis=2)
    if defective:
        stripes = np.arange(size) % rng.integers(2, 12) < rng.integers(1, 6)
        pixels[DEFECT] = np.where(stripes[DEFECT[1], None], rng.integers(0, 256, 3), rng.integers(0, 256, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def draw_mask(path: Path, value: int = 255, rows: slice = DEFECT[0], size: int = 64) -> None:
    """Write a mask whose defect, or the given rows of it, has a grey value."""
    mask = np.zeros((size, size), dtype=np.uint8)
    mask[rows, DEFECT[1]] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)


def draw_mvtec_category(category: Path, seed: int) -> None:
    """Six good images, three `broken` and two `dented`, in the MVTec AD layout."""
    for number in range(6):
        draw(category / "test" / "good" / f"{number:03d}.png", seed + number, defective=False)
    for defect_type, count in (("broken", 3), ("dented", 2)):
        for number in range(count):
            draw(category / "test" / defect_type / f"{number:03d}.png", seed + 10 * count + number, defective=True)
            draw_mask(category / "ground_truth" / defect_type / f"{number:03d}_mask.png")


@pytest.fixture(scope="session")
def mvtec_ad_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two categories of MVTec AD."""
    root = tmp_path_factory.mktemp("mvtec_ad")
    for seed, category in ((100, "bottle"), (200, "zipper")):
        draw_mvtec_category(root / category, seed)
    return root


@pytest.fixture(scope="session")
def folder_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two categories of somebody's own, in the layout of MVTec AD."""
    root = tmp_path_factory.mktemp("folder")
    for seed, category in ((300, "caps"), (400, "lids")):
        draw_mvtec_category(root / category, seed)
    return root


@pytest.fixture(scope="session")
def visa_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One object of VisA, ten images, masks of small grey values, and a training image that is not to be used."""
    root = tmp_path_factory.mktemp("visa")
    rows = ["object,split,label,image,mask", "candle,train,normal,candle/Data/Images/Normal/0099.JPG,"]
    for number in range(6):
        path = f"candle/Data/Images/Normal/{number:04d}.JPG"
        draw(root / path, 500 + number, defective=False)
        rows.append(f"candle,test,normal,{path},")
    for number in range(4):
        path, mask = f"candle/Data/Images/Anomaly/{number:03d}.JPG", f"candle/Data/Masks/Anomaly/{number:03d}.png"
        draw(root / path, 520 + number, defective=True)
        draw_mask(root / mask, value=1 + number)
        rows.append(f"candle,test,anomaly,{path},{mask}")
    (root / "split_csv").mkdir()
    (root / "split_csv" / "1cls.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def btad_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two products of BTAD, images in bmp and in jpg, masks in png."""
    root = tmp_path_factory.mktemp("btad")
    for seed, product, suffix in ((600, "01", "bmp"), (700, "03", "jpg")):
        for number in range(5):
            draw(root / product / "test" / "ok" / f"{number:04d}.{suffix}", seed + number, defective=False)
        for number in range(3):
            draw(root / product / "test" / "ko" / f"{number:04d}.{suffix}", seed + 20 + number, defective=True)
            draw_mask(root / product / "ground_truth" / "ko" / f"{number:04d}.png")
    return root


@pytest.fixture(scope="session")
def mvtec_loco_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One category of MVTec LOCO AD; logical anomalies have two defect channels, structural ones one."""
    root = tmp_path_factory.mktemp("mvtec_loco")
    category = root / "pushpins"
    for number in range(6):
        draw(category / "test" / "good" / f"{number:03d}.png", 800 + number, defective=False)
    for seed, defect_type, channels in (
        (820, "logical_anomalies", ((255, slice(16, 24)), (254, slice(24, 32)))),
        (840, "structural_anomalies", ((254, slice(16, 32)),)),
    ):
        for number in range(2):
            draw(category / "test" / defect_type / f"{number:03d}.png", seed + number, defective=True)
            for channel, (value, rows) in enumerate(channels):
                folder = category / "ground_truth" / defect_type / f"{number:03d}"
                draw_mask(folder / f"{channel:03d}.png", value, rows)
    kinds = [
        {"defect_name": "missing", "pixel_value": 255, "saturation_threshold": 0.5, "relative_saturation": True},
        {"defect_name": "broken", "pixel_value": 254, "saturation_threshold": 40, "relative_saturation": False},
    ]
    (category / "defects_config.json").write_text(json.dumps(kinds), encoding="utf-8")
    return root
