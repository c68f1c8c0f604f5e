"""A small store with two nights of one product, the site over a copy of it, and browsers that look at it."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page

from flows.pipelines.lot import score_folder
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.chromium import chromium
from tests.flat import lot_request
from tests.web.visiting import MARKUP, QUOTES, Visitor
from web.app import create_app
from web.lot import Lot
from web.serve import SiteAddress, listening
from web.store_cache import Library

SETTINGS: dict[str, Any] = {"backbone": "texture", "image_size": 128, "layers": (0, 1), "degrees": (1, 3)}


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `lots/` and `store/`: two nights of caps, 20 and 14 images, strange names, a bad file."""
    from storage.datasets.synthetic.lot import write_lot

    root = tmp_path_factory.mktemp("review")
    for night, good, bad in ((21, 14, 6), (22, 10, 4)):
        pictures = write_lot(root / f"drawn-{night}", good_count=good, defective_count=bad, size=128, seed=night)
        folder = root / "lots" / "cap" / f"2026-11-{night}"
        folder.mkdir(parents=True)
        names = [f"{number:02d}.png" for number in range(good + bad - 2)]
        for picture, name in zip(pictures, [*names, MARKUP, QUOTES], strict=True):
            (folder / name).write_bytes(picture.read_bytes())
        (folder / "empty.png").write_bytes(b"")
        given = {"folder": str(folder), "output": str(root / "store"), "lot": f"cap-2026-11-{night}", "category": "cap"}
        score_folder(lot_request(**given, threshold=0.08, **SETTINGS), InlineRunner())
    return root


@pytest.fixture
def store(scored: Path, tmp_path: Path) -> Store:
    """The store alone, for a test to change; features, the most of its files, may be deleted but not written to."""
    shutil.copytree(scored / "store", tmp_path / "store", ignore=shutil.ignore_patterns("features", "patch_scores"))
    shutil.copytree(scored / "store" / "features", tmp_path / "store" / "features", copy_function=os.link)
    return Store(str(tmp_path / "store"))


@pytest.fixture
def lot_name(store: Store) -> str:
    """The run of the first night."""
    return next(name for name in sorted(Path(store.url, "runs").iterdir()) if "2026-11-21" in name.name).name


@pytest.fixture
def image_ids(store: Store, lot_name: str) -> list[str]:
    """Images of the first night, the most anomalous first."""
    from storage.results.runs import Run

    scores = Run(store, f"runs/{lot_name}").scores()
    return [str(one) for one in scores.sort_values("raw_score", ascending=False)["image_id"]]


@pytest.fixture
def lot(store: Store, lot_name: str) -> Lot:
    """The first night as the site reads it."""
    library = Library(store)
    return library.lot(library.runs()[lot_name])


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    """Requests to the site without a network, as from this machine."""
    with TestClient(
        create_app(store, reviewer="Ada"), base_url="http://localhost", raise_server_exceptions=False
    ) as it:
        yield it


@pytest.fixture
def site(store: Store) -> Iterator[str]:
    """The address of the site, served by a thread."""
    place = SiteAddress("127.0.0.1", 0, None)
    with listening(place) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(store, reviewer="Ada"), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, one for a file of tests: none of them runs a flow of Prefect."""
    with chromium() as running:
        yield running


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A page of its own, for files."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Opens pages that note every message, error, dialog and request to elsewhere, each in a context of its own."""
    contexts = []

    def opened(address: str, **options: Any) -> Visitor:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        visitor = Visitor(context.new_page())
        page, problems, own = visitor.page, visitor.problems, address.split("/", 3)[2]
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda asked: None if f"//{own}/" in asked.url else problems.append(asked.url))
        page.on("response", lambda got: problems.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        page.goto(address)
        return visitor

    yield opened
    for context in contexts:
        context.close()
