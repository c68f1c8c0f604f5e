"""Lots of which too few images can be scored: the message counts the others by reason, and names a listing."""

import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from flows.pipelines.lot import score_folder
from planning.feasibility import require_feasible
from storage.errors import NoImagesError
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request
from tests.storage.listed import picture, put

SETTINGS: dict[str, Any] = {"backbone": "texture", "image_size": 64}


def cut(kind: str, kept: float) -> bytes:
    """A file that lacks its end."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture(5))).resize((64, 64)).save(buffer, kind)
    return buffer.getvalue()[: int(len(buffer.getvalue()) * kept)]


def listing_named(said: str) -> pd.DataFrame:
    found = re.search(r"every file is listed in (\S+images\.parquet)", said)
    assert found, said
    return pd.read_parquet(found[1]).set_index("path")


def test_images_that_cannot_be_decoded_are_counted_and_listed(tmp_path: Path) -> None:
    """Their headers are sound, so the listing takes them; their pixels are missing."""
    put(tmp_path / "lot", "good.png", picture(0))
    put(tmp_path / "lot", "empty.png", b"")
    put(tmp_path / "lot", "cut.png", cut("PNG", 0.5))
    request = lot_request(folder=str(tmp_path / "lot"), output=str(tmp_path / "store"), **SETTINGS)
    with pytest.raises(NoImagesError, match=r"at least 2 usable images .* got 1 in .*2 unreadable") as raised:
        score_folder(request, InlineRunner())
    assert "1 × the file is empty" in str(raised.value)
    table = listing_named(str(raised.value))
    assert table["status"].to_dict() == {"good.png": "ok", "empty.png": "unreadable", "cut.png": "unreadable"}
    assert "cut short or damaged" in table.loc["cut.png", "reason"]


def test_files_that_are_no_images_are_counted_and_listed(tmp_path: Path) -> None:
    put(tmp_path / "lot", "good.png", picture(0))
    put(tmp_path / "lot", "notes.txt", b"text")
    request = lot_request(folder=str(tmp_path / "lot"), output=str(tmp_path / "store"), **SETTINGS)
    with pytest.raises(NoImagesError, match=r"got 1 in .*1 not_an_image") as raised:
        require_feasible(request)
    assert listing_named(str(raised.value))["status"].to_dict() == {"good.png": "ok", "notes.txt": "not_an_image"}
