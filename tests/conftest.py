"""Fixtures shared by every room's tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, sync_playwright

# Small tensors gain nothing from several threads, and threads that wait for a busy processor cost many times the work.
torch.set_num_threads(1)

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def small_stages() -> dict[str, np.ndarray]:
    """What the authors' code computed on seeded tokens: 9 images, 5 × 5 grid, 2 layers."""
    with np.load(Path(__file__).parent / "data" / "small_stages.npz") as stages:
        return dict(stages)


@pytest.fixture(scope="session")
def reference_folder() -> Path:
    """The larger reference files, which lie beside the project rather than in it."""
    folder = SHARED / "reference"
    if not folder.is_dir():
        pytest.skip("the folder shared/reference is not beside the project")
    return folder


@pytest.fixture(scope="session")
def reference_stages(reference_folder: Path) -> dict[str, np.ndarray]:
    """What the authors' code computed on 16 photographs, stage by stage."""
    with np.load(reference_folder / "stages.npz") as stages:
        return dict(stages)


@pytest.fixture(scope="session")
def magnetic_tiles() -> Path:
    """72 real photographs of magnetic tiles in the MVTec AD layout."""
    folder = SHARED / "data" / "magnetic_tile"
    if not folder.is_dir():
        pytest.skip("the folder shared/data/magnetic_tile is not beside the project")
    return folder


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Headless Chromium as the system ships it; one for each test, as its event loop would disturb flows in others."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()
