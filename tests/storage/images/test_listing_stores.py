"""Stores among photographs: what musc has written is never taken for a photograph, and the listing says so."""

from pathlib import Path
from uuid import uuid4

import pytest

from cli.terminal.what_is_scored import file_count
from storage.datasets.unread_images import unread_folders
from storage.errors import NoImagesError
from storage.given_names import SIGN
from storage.images.listing import RESULTS, list_folder
from storage.images.lot_fingerprints import fingerprint
from storage.images.lot_tree import find_lots
from storage.store import Store, begin_results
from tasks.watching.stable_files import image_paths
from tests.storage.listed import picture, put


def store_in(folder: Path, name: str = "musc-results") -> Store:
    """A store with a picture in it."""
    store = Store(str(folder / name))
    begin_results(store, str(folder))
    put(folder / name, "runs/a/maps-png/a.png", picture(9))
    return store


def test_store_in_a_lot_is_one_row(folder: Path) -> None:
    store_in(folder)
    rows = {(image.path, image.status, image.reason) for image in list_folder(str(folder))}
    assert rows == {("a.png", "ok", ""), ("musc-results", "results", RESULTS)}


def test_store_deep_in_a_lot_is_left_out(folder: Path) -> None:
    store_in(folder, "station/2/out")
    assert [image.path for image in list_folder(str(folder))] == ["a.png", "station/2/out"]


def test_store_on_an_object_store_is_one_row() -> None:
    lot = Store(f"memory://{uuid4().hex}/lot")
    lot.write("a.png", picture(0))
    begin_results(Store(f"{lot.url}/out"), lot.url)
    lot.write("out/runs/a.png", picture(1))
    lot.write("output.png", picture(2))
    assert [image.path for image in list_folder(lot.url)] == ["a.png", "out", "output.png"]
    assert fingerprint(lot.url).image_count == 2


def test_results_change_no_fingerprint(folder: Path) -> None:
    store = store_in(folder)
    before = fingerprint(str(folder))
    store.write("runs/b/report.html", b"page")
    assert fingerprint(str(folder)) == before
    assert before.image_count == 1
    assert file_count(str(folder)) == 1


def test_store_below_a_root_is_no_category_and_no_lot(tmp_path: Path) -> None:
    put(tmp_path / "bolt/2026-11-21", "a.png", picture(0))
    store_in(tmp_path, "results")
    store_in(tmp_path / "bolt", "out")
    tree = find_lots(str(tmp_path))
    assert [found.lot for found in tree.lots] == ["bolt-2026-11-21"]
    assert {(left.path, left.reason) for left in tree.left_out} == {("results", RESULTS), ("bolt/out", RESULTS)}


def test_store_in_a_dataset_is_not_counted_as_unread(tmp_path: Path) -> None:
    put(tmp_path / "cap/test/good", "a.png", picture(0))
    store_in(tmp_path, "results")
    assert not unread_folders(tmp_path, ("*/test/*",), None)


def test_store_in_a_watched_folder_is_not_watched(folder: Path) -> None:
    store_in(folder)
    assert image_paths(folder) == ["a.png"]


def test_store_may_not_be_the_folder_itself(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    for place in (folder, link, f"{folder}/"):
        with pytest.raises(
            ValueError, match=r"output must be a folder of its own, got .* in which the photographs lie"
        ):
            begin_results(Store(str(place)), str(folder))
    assert not (folder / SIGN).exists()


def test_store_holds_no_photographs(folder: Path) -> None:
    store = store_in(folder)
    with pytest.raises(NoImagesError, match=r"folder must hold photographs, got .*, which is a store with results"):
        list_folder(store.url)
