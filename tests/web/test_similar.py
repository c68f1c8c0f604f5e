"""Judged defects that an image looks like are suggested from stored features, and decide nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from playwright.sync_api import expect

from flows.pipelines.lot import score_folder
from storage.datasets.synthetic.lot import write_lot
from storage.products.defect_kinds import DefectKind, DefectKinds, add_kinds
from storage.results.runs import Run
from storage.results.verdict_reader import read_verdicts
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request
from tests.web.accessible import serious
from tests.web.conftest import SETTINGS
from tests.web.visiting import OWN, Visitor, give

KIND = "<b>spot</b>"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights of the same eight parts: in the second one a corner of each photograph is one grey level lighter."""
    root = tmp_path_factory.mktemp("similar")
    for night, change in ((21, 0), (22, 1)):
        folder = root / "lots" / "cap" / f"2026-11-{night}"
        folder.mkdir(parents=True)
        drawn = write_lot(root / f"drawn-{night}", good_count=5, defective_count=3, size=128, seed=5)
        for number, path in enumerate(drawn):
            pixels = np.array(Image.open(path))
            pixels[-1, -1] ^= change
            Image.fromarray(pixels).save(folder / f"{number}.png")
        given = {"folder": str(folder), "output": str(root / "store"), "lot": f"cap-2026-11-{night}", "category": "cap"}
        score_folder(lot_request(**given, threshold=0.08, **SETTINGS), InlineRunner())
    return root


@pytest.fixture
def other(store: Store) -> str:
    """The run of the second night."""
    return next(path.name for path in sorted(Path(store.url, "runs").iterdir()) if "2026-11-22" in path.name)


@pytest.fixture
def defects(store: Store, other: str) -> list[str]:
    """Its three most anomalous images, in a product with a list of kinds."""
    add_kinds(store, DefectKinds("cap", (DefectKind(KIND, "1"), DefectKind("dent", "2")), "Ada"))
    scores = Run(store, f"runs/{other}").scores().sort_values("raw_score", ascending=False)
    return [str(one) for one in scores["image_id"][:3]]


def similar(client: TestClient, lot_name: str, image_id: str) -> dict[str, Any]:
    return dict(client.get(f"/lots/{lot_name}/images/{image_id}/similar.json").json())


def test_defects_of_another_night_are_suggested_nearer_than_good_places(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], other: str, defects: list[str]
) -> None:
    assert similar(client, lot_name, image_ids[0]) == {"said": "", "alike": []}
    for image_id in defects:
        give(client, other, image_id, "defective", kind=KIND, severity="minor")
    told = {image_id: similar(client, lot_name, image_id) for image_id in image_ids[:3]}
    alike = {image_id: found["alike"] for image_id, found in told.items() if found["alike"]}
    assert len(alike) == 3
    for image_id, found in alike.items():
        good = client.get(f"/lots/{lot_name}/images/{image_id}/matches.json").json()["matches"][0]["distance"]
        distances = [one["distance"] for one in found]
        assert distances == sorted(distances)
        assert distances[-1] <= good
        assert {(one["run"], one["kind"], one["severity"]) for one in found} == {(other, KIND, "minor")}
        assert client.get(f"/lots/{other}/images/{found[0]['image_id']}/crop/{found[0]['patch']}").status_code == 200
        assert told[image_id]["said"] == f"Looks like: {KIND} ({len(found)}). A suggestion; you decide."
    assert read_verdicts(store, f"runs/{lot_name}").empty


def test_only_standing_verdicts_with_a_look_and_a_kind_are_suggested(
    client: TestClient, lot_name: str, image_ids: list[str], other: str, defects: list[str]
) -> None:
    give(client, other, defects[0], "defective")
    give(client, other, defects[1], "defective", kind=KIND)
    give(client, other, defects[1], "good")
    sent = {"verdict": "defective", "kind": KIND, "name": "Ada", "looked": False, "images": defects[2:]}
    client.post(f"/lots/{other}/verdicts", content=json.dumps(sent), headers=OWN)
    give(client, lot_name, image_ids[0], "defective", kind=KIND)
    assert [similar(client, lot_name, one)["alike"] for one in image_ids[:1]] == [[]], (
        "an image is not its own likeness"
    )
    assert not any(
        one["run"] == other for image_id in image_ids[1:] for one in similar(client, lot_name, image_id)["alike"]
    )


def test_drawn_place_is_what_is_compared(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], other: str, defects: list[str]
) -> None:
    """Drawn in the same corner of the same part on two nights, and not where either scores highest."""
    paths = {name: Run(store, f"runs/{name}").scores().set_index("image_id")["path"] for name in (lot_name, other)}
    twin = str(paths[other].index[paths[other] == paths[lot_name][image_ids[0]]][0])
    corner = {"shape": "box", "points": [[0, 0], [7, 0], [7, 7], [0, 7]]}
    give(client, other, twin, "defective", kind="dent", regions=[corner])
    assert similar(client, lot_name, image_ids[0])["alike"] == []
    give(client, lot_name, image_ids[0], "defective", kind=KIND, regions=[corner])
    found = similar(client, lot_name, image_ids[0])["alike"]
    assert [(one["image_id"], one["kind"], one["patch"]) for one in found] == [(twin, "dent", 0)]


def test_runs_whose_features_are_gone_suggest_nothing(
    client: TestClient, store: Store, lot_name: str, image_ids: list[str], other: str, defects: list[str]
) -> None:
    for image_id in defects:
        give(client, other, image_id, "defective", kind=KIND)
    shutil.rmtree(Path(store.url, "features"))
    assert similar(client, lot_name, image_ids[0]) == {"said": "", "alike": []}


def test_page_shows_what_is_alike_and_judges_nothing(
    visit: Callable[..., Visitor],
    site: str,
    client: TestClient,
    store: Store,
    lot_name: str,
    image_ids: list[str],
    other: str,
    defects: list[str],
) -> None:
    for image_id in defects:
        give(client, other, image_id, "defective", kind=KIND)
    image_id = next(one for one in image_ids if similar(client, lot_name, one)["alike"])
    visitor = visit(f"{site}/lots/{lot_name}/images/{image_id}?view=grid", viewport={"width": 390, "height": 844})
    page = visitor.page
    expect(page.locator("#alike-said")).to_contain_text(f"Looks like: {KIND} (")
    expect(page.locator("#alike-places figcaption").first).to_contain_text(f"{KIND}: ")
    assert page.locator("[data-kind][aria-pressed=true]").count() == 0
    assert serious(page) == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#alike-places a").first.click()
    expect(page.locator("#history .badge")).to_have_text(f"defective, {KIND}")
    assert read_verdicts(store, f"runs/{lot_name}").empty
    assert visitor.problems == []
