"""Maps of photographs whose names are too long for a map of the same name, in a lot whose own name is long."""

import errno
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from flows.pipelines.lot import score_folder
from storage.datasets.synthetic.lot import write_lot
from storage.store import Store
from tasks.export_maps import TABLE, write_named
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request

SMALL = {"backbone": "texture", "image_size": 64, "layers": (0,), "degrees": (1,), "engine": "inline"}
LONG_NAMES = {"件" * 80 + ".png", "a" * 251 + ".png", "a" * 250 + "b.png"}


@pytest.fixture(scope="module")
def lot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six parts, three of them with names of 244 to 255 bytes, in a folder with a name of 240."""
    folder = tmp_path_factory.mktemp("lots") / ("件" * 80)
    folder.mkdir()
    drawn = write_lot(tmp_path_factory.mktemp("drawn"), good_count=4, defective_count=2, size=64)
    for picture, name in zip(drawn, [*sorted(LONG_NAMES), "4.png", "5.png", "below.png"], strict=False):
        (folder / name).write_bytes(picture.read_bytes())
    return folder


@pytest.mark.parametrize(("kind", "ending"), [("png", ".overlay.png"), ("tiff", ".tiff")])
def test_every_photograph_has_its_map_whatever_its_name(lot: Path, kind: str, ending: str, tmp_path: Path) -> None:
    done = score_folder(lot_request(lot, tmp_path, maps=kind, **SMALL), InlineRunner())
    assert done.problems == ()
    folder = tmp_path / done.run / f"maps-{kind}"
    table = pd.read_parquet(folder / TABLE)
    shown = table[table["file"].str.endswith(ending)]
    assert sorted(shown["path"]) == sorted(picture.name for picture in lot.iterdir())
    assert set(table["file"]) == {found.name for found in folder.glob("*.*") if found.suffix in (".png", ".tiff")}
    for row in shown.itertuples():
        assert (row.file == f"{row.path}{ending}") == (row.path not in LONG_NAMES)
        with Image.open(folder / row.file) as written:
            assert written.size == (64, 64)
            assert np.ptp(np.asarray(written)) > 0


def test_name_that_the_disk_refuses_becomes_a_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As shares of other systems refuse some characters."""
    write = Store.write

    def strict(store: Store, path: str, content: bytes) -> None:
        if ":" in path:
            raise OSError(errno.EINVAL, "Invalid argument", path)
        write(store, path, content)

    monkeypatch.setattr(Store, "write", strict)
    store = Store(str(tmp_path))
    file = write_named(store, "maps", "12:30/a.png", ".tiff", b"map")
    assert (store.read(f"maps/{file}"), file.endswith(".tiff"), "/" in file) == (b"map", True, False)


def test_other_errors_of_the_disk_are_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(store: Store, path: str, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", path)

    monkeypatch.setattr(Store, "write", full)
    with pytest.raises(OSError, match="No space left"):
        write_named(Store(str(tmp_path)), "maps", "a.png", ".tiff", b"map")
