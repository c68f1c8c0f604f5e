"""Lots: every file of a folder is a row with a status."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from storage.errors import NoImagesError
from storage.images.listing import list_folder, require_folder
from storage.images.lot_tree import find_lots
from storage.images.lots import ListedImage, load_lot, store_lot
from storage.store import Store
from tests.storage.listed import listed, picture, put, status_of

AS_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")


def test_image_is_listed_with_what_its_file_says(folder: Path) -> None:
    sha256 = hashlib.sha256(picture(0)).hexdigest()
    assert list_folder(str(folder)) == [ListedImage(sha256[:16], "a.png", sha256, 7, 5, "ok", "")]


def test_images_of_folders_below_are_listed_in_order_of_their_paths(store: Store) -> None:
    for seed, name in enumerate(("b.png", "a/z.png", "a/deep/er.png", "a.png", "B.png")):
        store.write(name, picture(seed))
    paths = [image.path for image in list_folder(store.url)]
    assert paths == ["B.png", "a.png", "a/deep/er.png", "a/z.png", "b.png"]


def test_hidden_files_and_folders_are_left_out(store: Store) -> None:
    for seed, name in enumerate(("a.png", ".hidden.png", ".folder/b.png", "c/.d/e.png", ".DS_Store")):
        store.write(name, picture(seed))
    assert [image.path for image in list_folder(store.url)] == ["a.png"]


def test_folder_may_itself_lie_in_a_hidden_one(tmp_path: Path) -> None:
    put(tmp_path, ".camera/tonight/a.png", picture(0))
    assert list(listed(tmp_path / ".camera/tonight")) == ["a.png"]


def test_listing_is_the_same_on_every_kind_of_store(store: Store, folder: Path) -> None:
    put(folder, "below/copy.png", picture(0))
    put(folder, "below/cut.png", picture(1)[:20])
    put(folder, "größe.txt", b"text")
    for path in folder.rglob("*.*"):
        store.write(path.relative_to(folder).as_posix(), path.read_bytes())
    assert list_folder(store.url) == list_folder(str(folder))


@pytest.mark.parametrize("name", ["b.PNG", "b.Png", "b.x.png"])
def test_suffix_counts_in_any_case(folder: Path, name: str) -> None:
    put(folder, name, picture(1))
    assert status_of(folder, name) == ("ok", "")


@pytest.mark.parametrize("name", ["notes.txt", "png", "image", "b.png.part", "Thumbs.db"])
def test_file_of_another_suffix_is_not_an_image(folder: Path, name: str) -> None:
    put(folder, name, picture(1))
    status, reason = status_of(folder, name)
    assert status == "not_an_image"
    assert reason.startswith("names of images end in .bmp, .gif, ")


def test_kind_is_told_by_content_and_not_by_suffix(folder: Path) -> None:
    put(folder, "b.jpg", picture(1, "BMP"))
    assert status_of(folder, "b.jpg") == ("ok", "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "the file is empty"), (b"text", "is none"), (picture(1)[:20], "its header cannot be read")],
    ids=["empty", "text", "cut_png"],
)
def test_file_that_is_no_image_is_unreadable(folder: Path, content: bytes, reason: str) -> None:
    put(folder, "b.png", content)
    status, said = status_of(folder, "b.png")
    assert status == "unreadable"
    assert reason in said


def test_image_of_too_many_pixels_is_too_large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "b.png", picture(1, size=(9, 5)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    assert status_of(folder, "b.png")[0] == "too_large"


def test_image_of_several_frames_is_scored_and_says_so(folder: Path) -> None:
    frames = [Image.new("L", (4, 3), grey) for grey in (1, 2)]
    frames[0].save(folder / "b.tiff", save_all=True, append_images=frames[1:])
    assert status_of(folder, "b.tiff") == ("ok", "first of 2 frames")


def test_size_is_that_of_the_upright_picture(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 3)).save(folder / "b.jpg", exif=exif)
    image = listed(folder)["b.jpg"]
    assert (image.width, image.height) == (3, 8)


def test_named_pipe_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To read one would wait for a writer, for ever."""
    os.mkfifo(folder / "b.png")
    read = Store.read

    def read_no_pipe(store: Store, path: str) -> bytes:
        assert path == "a.png"
        return read(store, path)

    monkeypatch.setattr(Store, "read", read_no_pipe)
    assert status_of(folder, "b.png") == ("not_an_image", "it is no regular file")


def test_non_ascii_names_are_kept(folder: Path) -> None:
    put(folder, "Prüfung/größe 1 ✓.png", picture(1))
    assert status_of(folder, "Prüfung/größe 1 ✓.png") == ("ok", "")


@pytest.fixture
def latin_1_file(folder: Path) -> Path:
    """A file whose name is no valid UTF-8, as old cameras and archives leave them."""
    name = os.fsencode(folder) + b"/gr\xf6\xdfe.png"
    try:
        with open(name, "wb") as file:  # noqa: PTH123 - a name of bytes
            file.write(picture(1))
    except OSError:
        pytest.skip("this file system keeps UTF-8 names only")
    return folder


def test_name_that_is_no_utf_8_is_unreadable(latin_1_file: Path) -> None:
    assert status_of(latin_1_file, r"gr\udcf6\udcdfe.png") == ("unreadable", "its name is no valid UTF-8; rename it")


def test_listing_with_a_name_that_is_no_utf_8_is_kept(latin_1_file: Path, local_store: Store) -> None:
    images = list_folder(str(latin_1_file))
    assert load_lot(local_store, store_lot(local_store, images)) == images


def test_repeated_content_is_a_duplicate_of_the_first_file(folder: Path) -> None:
    put(folder, "b.png", picture(0))
    put(folder, "c/d.png", picture(0))
    images = listed(folder)
    first = images["a.png"].image_id
    assert [(image.image_id, image.status, image.reason) for image in images.values()] == [
        (first, "ok", ""),
        (f"{first}-2", "duplicate", "same bytes as a.png"),
        (f"{first}-3", "duplicate", "same bytes as a.png"),
    ]


def test_repeated_content_is_scored_where_it_is_kept(folder: Path) -> None:
    put(folder, "b.png", picture(0))
    images = listed(folder, keep_duplicates=True)
    first = images["a.png"].image_id
    assert [(image.image_id, image.status) for image in images.values()] == [(first, "ok"), (f"{first}-2", "ok")]


def test_repeated_damage_is_unreadable_each_time(folder: Path) -> None:
    """`duplicate` says that the content is scored elsewhere, which is not so for files that are not scored."""
    put(folder, "b.png", b"")
    put(folder, "c.png", b"")
    assert [image.status for image in listed(folder).values()] == ["ok", "unreadable", "unreadable"]


def test_image_ids_are_never_shared(folder: Path) -> None:
    for name in ("b.png", "c.txt", "d.txt", "e.png", "f.png"):
        put(folder, name, picture(0) if name < "e" else b"")
    images = list_folder(str(folder))
    assert len({image.image_id for image in images}) == len(images) == 6


def test_image_ids_follow_content_when_files_move(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "other"
    put(moved, "elsewhere/z.png", picture(0))
    assert list_folder(str(moved))[0].image_id == list_folder(str(folder))[0].image_id


@pytest.mark.parametrize("below", [False, True])
def test_folder_without_files_is_refused(tmp_path: Path, below: bool) -> None:
    if below:
        (tmp_path / "empty").mkdir()
    with pytest.raises(NoImagesError, match=r"folder must hold images, got .*, which holds no file; check the path"):
        list_folder(str(tmp_path))


def test_folder_that_is_missing_is_refused(store: Store) -> None:
    with pytest.raises(NoImagesError, match=rf"existing folder, got {store.url}/gone, which does not exist"):
        list_folder(f"{store.url}/gone")


def test_folder_that_is_a_file_is_refused(store: Store) -> None:
    store.write("a.png", picture(0))
    with pytest.raises(NoImagesError, match=r"existing folder, got .*/a\.png, which is a file; check"):
        require_folder(f"{store.url}/a.png")


@pytest.mark.parametrize("name", ["", " "])
def test_folder_of_an_empty_path_is_not_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(folder)
    for function in (list_folder, require_folder, find_lots):
        with pytest.raises(
            ValueError, match=f"(folder|root) must be a path or URL, got '{name}'; write . for the working"
        ):
            function(name)
    assert [image.path for image in list_folder(".")] == ["a.png"]


@pytest.fixture
def broken(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Store]:
    """A folder of two images, of which reading the second one fails with an error number."""
    for seed, name in enumerate(("a.png", "b.png")):
        store.write(name, picture(seed))
    read = Store.read

    def break_with(number: int) -> Store:
        def read_or_fail(store: Store, path: str) -> bytes:
            if path == "b.png":
                raise OSError(number, os.strerror(number))
            return read(store, path)

        monkeypatch.setattr(Store, "read", read_or_fail)
        return store

    return break_with


def test_file_that_its_disk_does_not_give_is_unreadable(broken: Callable[[int], Store]) -> None:
    """Of an object store the error is raised, so that the task is retried."""
    store = broken(errno.EIO)
    if not store.is_local:
        with pytest.raises(OSError, match="Input/output error"):
            list_folder(store.url)
        return
    rows = {image.path: (image.status, image.reason) for image in list_folder(store.url)}
    assert rows == {"a.png": ("ok", ""), "b.png": ("unreadable", "access was denied or failed (Input/output error)")}


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ESTALE])
def test_error_that_is_not_of_one_file_ends_the_listing(broken: Callable[[int], Store], number: int) -> None:
    with pytest.raises(OSError, match=os.strerror(number)):
        list_folder(broken(number).url)


@AS_ROOT
def test_file_that_may_not_be_read_is_unreadable(folder: Path) -> None:
    put(folder, "b.png", picture(1)).chmod(0)
    assert status_of(folder, "b.png") == ("unreadable", "access was denied or failed (PermissionError)")


@pytest.fixture
def closed_folder(folder: Path) -> Iterator[Path]:
    """A folder below the lot's that may not be entered."""
    closed = put(folder, "closed/b.png", picture(1)).parent
    closed.chmod(0)
    yield closed
    closed.chmod(0o700)


@AS_ROOT
def test_folder_that_may_not_be_entered_is_a_row(folder: Path, closed_folder: Path) -> None:
    assert status_of(folder, closed_folder.name)[0] == "unreadable"


def test_folder_that_cannot_be_listed_is_a_row(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images that are out of reach are said to be so, not passed over in silence."""
    put(folder, "closed/b.png", picture(1))
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert status_of(folder, "closed") == ("unreadable", "the folder cannot be listed")
