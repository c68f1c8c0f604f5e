"""Pictures of the site: heatmaps as in the report, the nearest normal places, thumbnails, photographs for browsers."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from reports.page.find_causes import matches_for
from reports.page.finished_run import FinishedRun
from reports.page.gallery import SHOWN_MATCHES
from reports.page.heatmaps import colour_scale
from reports.page.run_files_specs import causes_spec
from reports.run_record import scored_run
from storage.artefacts import make_incomplete
from storage.store import Store
from tasks.find_causes import find_causes
from tests.web.visiting import give
from web import pictures
from web.app import create_app
from web.lot import Lot


def test_colour_scale_and_map_are_those_of_the_report(
    client: TestClient, lot: Lot, lot_name: str, image_ids: list[str]
) -> None:
    view = FinishedRun(lot.run, lot.record.job.folder)
    found = client.get(f"/lots/{lot_name}/images/{image_ids[0]}/map.json").json()
    position = lot.positions[image_ids[0]]
    assert (found["low"], found["high"]) == colour_scale(lot.run.patch_scores()) == view.limits
    scores = np.reshape(found["scores"], (found["rows"], found["columns"]))
    np.testing.assert_allclose(scores, lot.run.patch_scores()[position], atol=1e-5)
    np.testing.assert_allclose(
        pictures.enlarge(lot.patch_scores(position), (90, 70)), view.anomaly_map(position, (70, 90)), atol=1e-5
    )


def test_matches_are_those_of_the_report(client: TestClient, lot: Lot, lot_name: str, image_ids: list[str]) -> None:
    position = lot.positions[image_ids[0]]
    expected, _ = matches_for(FinishedRun(lot.run, lot.record.job.folder), [position])
    found = client.get(f"/lots/{lot_name}/images/{image_ids[0]}/matches.json").json()
    ids = [lot.images[match.image].image_id for match in expected[position][:SHOWN_MATCHES]]
    assert [match["image_id"] for match in found["matches"]][: len(ids)] == ids
    assert found["reason"] == ""


def test_causes_are_the_sentences_of_the_report(
    client: TestClient, lot: Lot, lot_name: str, image_ids: list[str]
) -> None:
    address = f"/lots/{lot_name}/images/{image_ids[0]}/matches.json"
    words = client.get(address).json()["words"]
    report = client.get(f"/lots/{lot_name}/report").text
    assert len(words) > 1
    assert all(sentence in report for sentence in words)
    german = client.get(address, headers={"accept-language": "de"}).json()["words"]
    assert german[0].startswith("Die umrandete Stelle ist")


def test_causes_found_out_anew_are_shown_without_a_restart(
    client: TestClient, store: Store, lot: Lot, lot_name: str, image_ids: list[str]
) -> None:
    address = f"/lots/{lot_name}/images/{image_ids[0]}/matches.json"
    assert " pixels large, " in client.get(address).json()["words"][0]
    make_incomplete(store, f"{lot.run.path}/causes")
    scored = scored_run(lot.run.path, lot.record)
    find_causes(causes_spec(replace(lot.record.job, store=store.url), scored, 0.5))
    assert " mm large, " in client.get(address).json()["words"][0]


def test_cause_of_an_accepted_image_is_found_out_when_it_is_looked_at(
    client: TestClient, lot: Lot, lot_name: str, image_ids: list[str]
) -> None:
    assert image_ids[-1] not in lot.causes.of_image
    words = client.get(f"/lots/{lot_name}/images/{image_ids[-1]}/matches.json").json()["words"]
    assert words[0].startswith("The worst place is ")
    assert len(words) > 1, "it is measured against the nearest good places"


def test_features_that_are_gone_are_told(client: TestClient, store: Store, lot_name: str, image_ids: list[str]) -> None:
    shutil.rmtree(Path(store.url) / "features")
    found = client.get(f"/lots/{lot_name}/images/{image_ids[0]}/matches.json").json()
    assert (found["matches"], found["reason"]) == (
        [],
        "No matches: the stored features or the region of this run are gone.",
    )


def test_image_judged_defective_shows_nothing_normal(client: TestClient, lot_name: str, image_ids: list[str]) -> None:
    def places() -> list[str]:
        found = client.get(f"/lots/{lot_name}/images/{image_ids[0]}/matches.json").json()
        return [match["image_id"] for match in found["matches"]]

    nearest = places()[0]
    give(client, lot_name, nearest, "defective")
    assert nearest not in places()


def test_thumbnail_is_made_once_and_kept_in_the_store(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/lots/{lot_name}/images/{image_ids[0]}/thumbnail"
    first = client.get(address)
    assert Image.open(io.BytesIO(first.content)).size == (320, 160)
    assert store.read(f"thumbnails/{lot_name}/{image_ids[0]}.jpg") == first.content
    monkeypatch.setattr("web.pictures.side_by_side", None)
    assert client.get(address).content == first.content
    assert "immutable" in first.headers["cache-control"]


def test_grey_thumbnail_is_not_kept_by_browsers(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str]
) -> None:
    address, record = f"/lots/{lot_name}/images/{image_ids[0]}/thumbnail", Path(store.url, "runs", lot_name, "run.json")
    known = record.read_text("utf-8")
    folder = json.loads(known)["job"]["folder"]
    record.write_text(known.replace(f'{folder}"', f'{folder[:-1]}9"'), encoding="utf-8")
    grey = client.get(address)
    assert (grey.status_code, grey.headers["cache-control"]) == (200, "no-store")
    record.write_text(known, encoding="utf-8")
    picture = TestClient(create_app(store), base_url="http://localhost").get(address)
    assert "immutable" in picture.headers["cache-control"]
    assert picture.content != grey.content


@pytest.mark.parametrize(
    ("mode", "kind", "media", "untouched"),
    [
        ("RGB", "PNG", "image/png", True),
        ("L", "JPEG", "image/jpeg", True),
        ("RGBA", "PNG", "image/jpeg", False),
        ("I;16", "PNG", "image/jpeg", False),
        ("P", "PNG", "image/jpeg", False),
        ("RGB", "TIFF", "image/jpeg", False),
    ],
)
def test_photographs_are_shown_as_they_were_scored(mode: str, kind: str, media: str, untouched: bool) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (9, 7)).save(buffer, kind)
    content, found = pictures.browser_image(buffer.getvalue())
    assert (found, content == buffer.getvalue()) == (media, untouched)
    assert Image.open(io.BytesIO(content)).size == (9, 7)


def test_photographs_that_browsers_would_show_otherwise_are_decoded_first() -> None:
    picture, exif = Image.new("RGB", (9, 7), (10, 200, 30)), Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    for more, size in (({"transparency": (10, 200, 30)}, (9, 7)), ({"exif": exif}, (7, 9))):
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", **more)
        content, media = pictures.browser_image(buffer.getvalue())
        assert (media, Image.open(io.BytesIO(content)).size) == ("image/jpeg", size)
