"""How many requests lots, nights and pages on S3 cost: each is opened once, and a file is fetched by one request."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from flows.pipelines.lot import score_folder
from flows.pipelines.night import score_night
from planning.requests import NightRequest, request_of
from storage.datasets.synthetic.lot import write_lot
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request
from web.app import create_app

BEFORE, NIGHT_BEFORE = 1858, 2784
"""Requests of the same lot and night when arrays were opened again for every image, with a HEAD before each GET."""
PAGES = {"": 8, "/lots/{run}": 8, "/lots/{run}/images/{image}": 4, "/lots/{run}/images/{image}/map.json": 1}
"""Requests of pages of the site that were opened before: listings, as what was read is kept."""
SMALL: dict[str, Any] = {"backbone": "texture", "image_size": 64}


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Requests sent, by method."""
    session = pytest.importorskip("aiobotocore.httpsession").AIOHTTPSession
    sent, send = Counter[str](), session.send

    async def counted(self: object, request: object) -> object:
        sent[request.method] += 1  # type: ignore[attr-defined]
        return await send(self, request)

    monkeypatch.setattr(session, "send", counted)
    return sent


def test_lot_on_s3_costs_a_quarter_of_the_requests_and_nothing_again(
    s3_bucket: str, requests: Counter[str], tmp_path: Path
) -> None:
    write_lot(tmp_path / "lot", good_count=22, defective_count=2)
    request = lot_request(tmp_path / "lot" / "test", f"{s3_bucket}/requests", **SMALL, block_images=8)
    score_folder(request, InlineRunner())
    first = requests.total()
    score_folder(request, InlineRunner())
    assert first <= BEFORE / 4
    assert requests.total() - first <= 60


def test_night_on_s3_costs_a_third_of_the_requests_and_its_pages_a_few(
    s3_bucket: str, requests: Counter[str], tmp_path: Path
) -> None:
    for day in (21, 22):
        for product in ("cap", "nut"):
            write_lot(tmp_path / f"{product}{day}", good_count=11, defective_count=1, size=96, seed=day)
            folder = tmp_path / "lots" / product / f"2026-11-{day}"
            folder.parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / f"{product}{day}" / "test").rename(folder)
    store = f"{s3_bucket}/nights"
    request = request_of(NightRequest, {"root": str(tmp_path / "lots"), "output": store, **SMALL})
    runner = InlineRunner()
    night = score_night(request, runner, lambda one: score_folder(one, runner))
    assert requests.total() <= NIGHT_BEFORE / 3
    requests.clear()
    score_night(request, runner, lambda one: score_folder(one, runner))
    assert requests.total() <= 6 * len(night.outcomes)

    run = sorted(path.rpartition("/")[2] for path in Store(store).filesystem.ls(Store(store).full("runs")))[0]
    image = str(Run(Store(store), f"runs/{run}").scores()["image_id"][0])
    site = TestClient(create_app(Store(store)), base_url="http://127.0.0.1:8420")
    for page, most in PAGES.items():
        address = page.format(run=run, image=image) or "/"
        assert site.get(address).status_code == 200
        requests.clear()
        site.get(address)
        assert requests.total() <= most, page
