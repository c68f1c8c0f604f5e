"""Local paths are local paths, whatever they are called; URLs are told by their protocol."""

from pathlib import Path

import numpy as np
import pytest

from storage.paths_and_urls import is_chain, open_place, protocol_of
from storage.secrets import require_no_secret
from storage.store import Store, absolute, require_store

NAMES = [
    "line::3",
    "fe80::1",
    "a::b::c",
    "s3",
    "s3:",
    "s3:key",
    "file:x",
    "local:1",
    "memory:x",
    "C:x",
    "a#b",
    "a?b",
    "a%20b",
]
NAMES += ["[ab]", "a*b", "~backup", "{x}", "a b", "-x", "a\\b", "a&b;c", "line::s3", "zip::x"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_store_of_any_name_is_a_folder_of_that_name(name: str, here: Path) -> None:
    store = require_store(name)
    assert store.is_local
    store.write("deep/file::1", b"content")
    assert (here / name / "deep" / "file::1").read_bytes() == b"content"
    assert store.sizes("") == {"deep/file::1": 7}
    assert Store(absolute(name)).read("deep/file::1") == b"content"
    assert store.inside(f"{name}/deep") == "deep"
    store.delete("deep")
    assert not store.exists("deep")
    assert [entry.name for entry in here.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_zarr_of_a_store_of_any_name_lies_in_it(name: str, here: Path) -> None:
    Store(name).zarr_group("features", "w").create_array("x", data=np.arange(3))
    np.testing.assert_array_equal(np.asarray(Store(name).zarr_group("features", "r")["x"]), [0, 1, 2])
    assert (here / name / "features").is_dir()


def test_home_is_that_of_the_user_unless_a_folder_is_called_so(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here / "home"))
    assert absolute("~/lots") == str(here / "home" / "lots")
    (here / "~" / "lots").mkdir(parents=True)
    assert absolute("~/lots") == str(here / "~" / "lots")


@pytest.mark.parametrize(
    ("place", "protocol"),
    [
        ("s3://bucket/lots", "s3"),
        ("memory://lots", "memory"),
        ("file:///lots", "file"),
        ("simplecache::s3://bucket", "simplecache"),
        ("zip://a.png::s3://bucket/lots.zip", "zip"),
        ("s3://bucket/line::3", "s3"),
        ("lots", None),
        ("/lots/s3://x", None),
        ("x://y", None),
    ],
)
def test_protocol_is_what_a_url_begins_with(place: str, protocol: str | None) -> None:
    assert protocol_of(place) == protocol


def test_key_with_colons_is_no_chain() -> None:
    assert not is_chain("s3://bucket/line::3")
    assert open_place("s3://bucket/line::3")[1] == "bucket/line::3"


def test_unknown_protocol_is_refused_unless_it_is_a_folder(here: Path) -> None:
    with pytest.raises(ValueError, match=r"must begin with a known protocol such as s3://, got s4://bucket;"):
        open_place("s4://bucket")
    (here / "s4:" / "bucket").mkdir(parents=True)
    assert open_place("s4://bucket")[1] == str(here / "s4:" / "bucket")


def test_local_names_hold_no_secrets() -> None:
    require_no_secret("folder", "lots?key=1&token=2")
    with pytest.raises(ValueError, match="must not hold a password, key or signature"):
        require_no_secret("folder", "s3://bucket/lots?key=1")
