"""Stores of every kind that is promised to work: a local folder, fsspec's memory, and moto's S3 on loopback."""

from pathlib import Path
from uuid import uuid4

import pytest

from storage.store import Store
from tests.storage.listed import picture, put


@pytest.fixture(params=["local", "memory", pytest.param("s3", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "local":
        return Store(str(tmp_path / "store"))
    if request.param == "memory":
        return Store(f"memory://{uuid4().hex}")
    return Store(f"{request.getfixturevalue('s3_bucket')}/{uuid4().hex}")


@pytest.fixture
def local_store(tmp_path: Path) -> Store:
    """An empty store in a local folder."""
    return Store(str(tmp_path / "store"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds one good image, `a.png`."""
    folder = tmp_path / "lot"
    put(folder, "a.png", picture(0))
    return folder
