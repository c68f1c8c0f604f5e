"""Lots that are scored and kept: enough images, unchanged ones, and a listing that says the same later."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage.errors import ImageChangedError, NoImagesError, UnopenedError
from storage.images.least_images import require_enough
from storage.images.listing import list_folder
from storage.images.lots import (
    DENIED,
    TABLE,
    ListedImage,
    describe_left_out,
    load_lot,
    load_usable,
    lot_path,
    read_image,
    store_lot,
    usable_images,
)
from storage.store import Store
from storage.tables import read_table, write_table
from tests.storage.listed import picture, put


def test_enough_is_two_usable_images(folder: Path) -> None:
    put(folder, "b.png", picture(1))
    images = list_folder(str(folder))
    require_enough(images, str(folder))
    assert len(usable_images(images)) == 2


def test_one_image_is_not_enough(folder: Path) -> None:
    match = r"a lot must hold at least 2 usable images .*, got 1 in [^()]*/lot; add images"
    with pytest.raises(NoImagesError, match=match):
        require_enough(list_folder(str(folder)), str(folder))


def test_too_few_images_are_refused_with_what_the_others_are(folder: Path) -> None:
    for name, content in {"b.png": b"", "c.png": b"text", "d.txt": b"", "e.png": picture(0)}.items():
        put(folder, name, content)
    with pytest.raises(NoImagesError, match="got 1 in ") as refusal:
        require_enough(list_folder(str(folder)), str(folder))
    said = str(refusal.value)
    assert "; besides: 2 unreadable (1 × the file is empty; 1 × its content must be one of " in said
    assert ", 1 not_an_image (names of images end in .bmp, " in said
    assert ", 1 duplicate (same bytes as an earlier file)" in said
    assert said.endswith("; add images of the same product")


def test_too_few_images_for_links_are_refused_with_where_the_links_lead(folder: Path) -> None:
    put(folder.parent, "other/b.png", picture(1))
    put(folder.parent, "other/c.png", picture(2))
    for name in ("b.png", "c.png"):
        (folder / name).symlink_to(folder.parent / "other" / name)
    match = (
        r"got 1 in \S*/lot; besides: 2 outside \(symbolic link leads out of the folder\); "
        "add images of the same product, or copies of what the links lead to$"
    )
    with pytest.raises(NoImagesError, match=match):
        require_enough(list_folder(str(folder)), str(folder))


def test_files_left_out_are_told_by_their_most_frequent_reasons() -> None:
    image = ListedImage("0" * 16, "a.png", "", 0, 0, "unreadable", "")
    reasons = ["odd", "cut", "cut", "cut", "empty", "empty", "gone", "gone", "closed"]
    said = describe_left_out([replace(image, status="ok"), *(replace(image, reason=reason) for reason in reasons)])
    assert said == "9 unreadable (3 × cut; 2 × empty; 2 × gone; 2 for other reasons)"


def test_files_left_out_are_none_where_all_are_scored() -> None:
    assert describe_left_out([ListedImage("0" * 16, "a.png", "", 1, 1, "ok", "first of 2 frames")]) == ""


def test_too_few_images_that_could_be_opened_are_an_error_of_their_own() -> None:
    """A night must not remember it; for everybody else it is a lot without enough images."""
    denied = ListedImage("0" * 16, "a.png", "", 0, 0, "unreadable", f"{DENIED} (PermissionError)")
    damaged = replace(denied, sha256="1" * 64, reason="its pixels are cut short")
    unnamed = replace(denied, reason="its name is no valid UTF-8; rename it")
    with pytest.raises(UnopenedError, match="besides: 2 unreadable") as refusal:
        require_enough([denied, damaged], "lot")
    assert isinstance(refusal.value, NoImagesError)
    with pytest.raises(NoImagesError) as refusal:
        require_enough([damaged, unnamed], "lot")
    assert not isinstance(refusal.value, UnopenedError)


def test_usable_images_keep_their_order(folder: Path) -> None:
    for seed, name in enumerate(("z.png", "m.png", "b.png"), 1):
        put(folder, name, picture(seed))
    put(folder, "n.png", b"")
    assert [image.path for image in usable_images(list_folder(str(folder)))] == ["a.png", "b.png", "m.png", "z.png"]


def test_image_is_read_as_it_was_listed(store: Store) -> None:
    store.write("a.png", picture(0))
    (image,) = list_folder(store.url)
    assert read_image(store, image) == picture(0)


def test_image_that_changed_is_refused(store: Store) -> None:
    store.write("a.png", picture(0))
    (image,) = list_folder(store.url)
    store.write("a.png", picture(1))
    match = r"a\.png must stay as it was when the lot was listed, but its content is another; run the same command"
    with pytest.raises(ImageChangedError, match=match):
        read_image(store, image)


def test_image_that_vanished_is_refused(store: Store) -> None:
    store.write("a.png", picture(0))
    (image,) = list_folder(store.url)
    store.filesystem.rm_file(store.full("a.png"))
    with pytest.raises(ImageChangedError, match=r"a\.png must stay as it was .*, but it is gone; run the same command"):
        read_image(store, image)


@pytest.fixture
def listing(folder: Path) -> list[ListedImage]:
    """Rows of several statuses, with empty strings and zeros."""
    put(folder, "b.png", picture(1))
    put(folder, "copy.png", picture(1))
    put(folder, "größe.txt", b"text")
    put(folder, "z.png", b"")
    return list_folder(str(folder))


def test_kept_listing_is_read_back(store: Store, listing: list[ListedImage]) -> None:
    loaded = load_lot(store, store_lot(store, listing))
    assert loaded == listing
    assert {type(image.width) for image in loaded} == {int}


def test_kept_listing_without_any_reason_is_read_back(local_store: Store, folder: Path) -> None:
    images = list_folder(str(folder))
    assert [image.reason for image in images] == [""]
    assert load_lot(local_store, store_lot(local_store, images)) == images


def test_kept_listing_is_read_by_the_names_of_its_columns(local_store: Store, listing: list[ListedImage]) -> None:
    key = store_lot(local_store, listing)
    path = f"{lot_path(key)}/{TABLE}"
    table = read_table(local_store, path)
    write_table(local_store, path, table[table.columns[::-1]].assign(remark="of a later release"))
    assert load_lot(local_store, key) == listing


def test_kept_listing_gives_its_usable_images(store: Store, listing: list[ListedImage]) -> None:
    assert [image.path for image in load_usable(store, store_lot(store, listing))] == ["a.png", "b.png"]


def test_key_of_a_listing_survives_keeping(local_store: Store, listing: list[ListedImage]) -> None:
    key = store_lot(local_store, listing)
    assert store_lot(local_store, load_lot(local_store, key)) == key


def test_key_of_a_listing_does_not_depend_on_where_the_folder_is(
    local_store: Store, folder: Path, listing: list[ListedImage]
) -> None:
    (folder / "circle.png").symlink_to("circle.png")
    key = store_lot(local_store, list_folder(str(folder)))
    moved = folder.rename(folder.parent / "moved")
    assert store_lot(local_store, list_folder(str(moved))) == key
    assert key != store_lot(local_store, listing)


@pytest.mark.parametrize("change", [{"path": "x.png"}, {"sha256": "0"}, {"status": "unreadable"}, {"width": 8}])
def test_key_of_another_listing_differs(local_store: Store, listing: list[ListedImage], change: dict[str, Any]) -> None:
    changed = [replace(listing[0], **change), *listing[1:]]
    assert store_lot(local_store, changed) != store_lot(local_store, listing)


def test_listing_is_kept_once(local_store: Store, listing: list[ListedImage]) -> None:
    key = store_lot(local_store, listing)
    kept = Path(local_store.location(f"{lot_path(key)}/{TABLE}"))
    before = kept.stat().st_ino, kept.stat().st_mtime_ns
    store_lot(local_store, listing)
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == before


def test_listing_that_was_damaged_is_kept_anew(local_store: Store, listing: list[ListedImage]) -> None:
    key = store_lot(local_store, listing)
    local_store.write(f"{lot_path(key)}/{TABLE}", b"")
    assert store_lot(local_store, listing) == key
    assert load_lot(local_store, key) == listing


def test_listing_that_is_not_kept_is_refused(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        load_lot(store, "0" * 32)
