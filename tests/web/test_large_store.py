"""30 nights × 3 products, a lot of 10 000 images and 5 000 verdicts: what pages read and send, and the server's memory.

Times are printed (`pytest -s`) and never decide.
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from fastapi.testclient import TestClient

from storage.store import Store
from tests.web.large_store import write_store
from tests.web.visiting import OWN, free_port, give
from web.app import create_app

NIGHTS, PRODUCTS, LARGEST, VERDICTS = 30, 3, 10_000, 5_000
MEMORY_BYTES = 500_000_000
PAGE_BYTES = 600_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    return write_store(
        tmp_path_factory.mktemp("large"), nights=NIGHTS, products=PRODUCTS, largest=LARGEST, verdicts=VERDICTS
    )


class Counted:
    """Files read and folders listed of a store, since the last look."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.reads: list[str] = []
        self.listings: list[str] = []
        read, sizes = Store.read, Store.sizes
        patch.setattr(Store, "read", lambda store, path: (self.reads.append(path), read(store, path))[1])
        patch.setattr(
            Store, "sizes", lambda store, path, **more: (self.listings.append(path), sizes(store, path, **more))[1]
        )

    def since(self) -> tuple[int, int]:
        found = len(self.reads), len(self.listings)
        self.reads.clear()
        self.listings.clear()
        return found


def test_pages_are_small_and_read_little_after_the_first_time(
    large: tuple[Store, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, name = large
    client = TestClient(create_app(store), base_url="http://localhost")
    counted = Counted(monkeypatch)
    image = f"/lots/{name}/images/{5:016x}"
    addresses = {
        "/": (0, 6),  # one of the benchmarks, and one each of all tunings and of all accepted settings
        f"/lots/{name}": (0, 5),  # one of the places to ignore, one of chosen thresholds, one of kinds
        f"/lots/{name}?view=table&page=7&sort=name": (0, 5),
        f"/lots/{name}/scores.json": (0, 0),
        f"/lots/{name}/selection.json?decision=accepted&verdict=none": (0, 0),
        f"/lots/{name}/nights.json?threshold=0.5": (0, 2),
        f"/lots/{name}/pull": (0, 0),
        image: (0, 2),
        f"{image}/map.json": (0, 0),
        f"{image}/matches.json": (3, 0),  # the photograph, and whether features and causes are there
        f"/lots/{name}/kinds": (0, 4),
        f"{image}/thumbnail": (1, 0),
    }
    for address in addresses:
        assert client.get(address).status_code == 200
    for address, (most_reads, most_listings) in addresses.items():
        counted.since()
        began = time.perf_counter()
        answer = client.get(address)
        seconds = time.perf_counter() - began
        reads, listings = counted.since()
        print(f"{address}: {seconds:.3f} s, {reads} reads, {listings} listings, {len(answer.content):,} bytes")
        assert reads <= most_reads, address
        assert listings <= most_listings, address
        assert len(answer.content) <= PAGE_BYTES, address


def test_thousand_verdicts_are_one_read_and_one_request(
    large: tuple[Store, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, name = large
    client = TestClient(create_app(store), base_url="http://localhost")
    client.get(f"/lots/{name}")
    images = client.get(f"/lots/{name}/selection.json?decision=accepted&verdict=none").json()["images"][:1000]
    sent = {"verdict": "good", "name": "Ada", "looked": False, "images": images}
    counted = Counted(monkeypatch)
    began = time.perf_counter()
    answer = client.post(f"/lots/{name}/verdicts", json=sent, headers=OWN)
    stored = time.perf_counter() - began
    page = client.get(f"/lots/{name}?decision=accepted&verdict=none")
    print(f"1,000 verdicts: stored after {stored:.2f} s, shown after {time.perf_counter() - began:.2f} s")
    assert counted.since()[0] == 1
    assert answer.json()["said"] == "1,000 images judged good, not looked at"
    assert "1,000 not looked at" in page.text
    undone = client.post(f"/lots/{name}/undo", json={"name": "Ada", "action": ""}, headers=OWN)
    assert undone.json()["said"] == "undid: 1,000 images judged good, not looked at"


def test_a_new_verdict_costs_one_more_read(large: tuple[Store, str], monkeypatch: pytest.MonkeyPatch) -> None:
    store, name = large
    client = TestClient(create_app(store), base_url="http://localhost")
    client.get("/")
    give(client, name, f"{300:016x}", "good")
    client.get("/")
    counted = Counted(monkeypatch)
    give(client, name, f"{301:016x}", "good")
    client.get("/")
    assert counted.since()[0] == 1


@pytest.fixture
def server(large: tuple[Store, str]) -> Iterator[tuple[psutil.Process, str]]:
    """The command in a process of its own, and its address."""
    store, _ = large
    words = ["web", store.url, "--port", str(free_port())]
    with subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    ) as process:
        assert process.stdout is not None
        address = next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        yield psutil.Process(process.pid), address.rstrip("/")
        process.terminate()
        process.wait(20)


def fetch(address: str) -> bytes:
    with urllib.request.urlopen(address) as answer:
        return bytes(answer.read())


def test_memory_of_the_server_stays_within_its_bound(
    large: tuple[Store, str], server: tuple[psutil.Process, str]
) -> None:
    """Every page of the large lot, hundreds of thumbnails, and all lots one after the other."""
    store, name = large
    process, address = server
    peak = 0
    images = [f"/lots/{name}/images/{number:016x}" for number in range(0, LARGEST, 100)]
    others = [f"/lots/{run.name}" for run in sorted(Path(store.url, "runs").iterdir())[::5]]
    pages = [f"/lots/{name}?view=table&page={page}&sort=name" for page in range(1, 51, 5)]
    for asked in ("/", *others, *pages, *(f"{image}/{rest}" for image in images for rest in ("thumbnail", "map.json"))):
        fetch(address + asked)
        peak = max(peak, process.memory_info().rss)
    for asked in ("/", f"/lots/{name}", f"/lots/{name}?view=table", images[3], f"{images[3]}/map.json"):
        began = time.perf_counter()
        fetch(address + asked)
        print(f"{asked}: {time.perf_counter() - began:.3f} s")
    print(f"largest memory of the server: {peak / 1e6:.0f} MB")
    assert peak < MEMORY_BYTES
