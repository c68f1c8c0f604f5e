"""How fast the review site shows and judges a lot of 10,000 images with 5,000 verdicts, in Chromium; and its memory.

    python -m benchmarks.review            # --images, --verdicts, --nights, --products

The store is generated, not scored: many small nights beside the large lot, every verdict a file of its own. Each page
is opened twice; a time is that from asking for the page to its `load` event. A selection of 1,000 images is judged by
one key, then images one after the other; a time is that from the key to what the page says, or to the next photograph.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

from storage.results.runs import Run
from storage.store import Store
from tests.web.large_store import write_store
from tests.web.visiting import free_port

ROOT = Path(__file__).resolve().parents[1]
STEPS = 10
"""Images judged one after the other."""
SELECTED = 1000


@contextmanager
def serving(store: Store) -> Iterator[tuple[psutil.Process, str]]:
    """`musc web` over a store: its process and its address."""
    words = [sys.executable, "-m", "cli", "web", store.url, "--port", str(free_port())]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        address = next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        try:
            yield psutil.Process(process.pid), address.rstrip("/")
        finally:
            process.terminate()


def seconds(act: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def opened(page: Page, site: str, lot: str, image: str) -> dict[str, tuple[float, float]]:
    """Seconds until each page of the site is loaded, the first time and the second."""
    pages = {
        "all nights": "/",
        "the lot": f"/lots/{lot}",
        "all its images": f"/lots/{lot}?view=grid",
        "table, page 7, by name": f"/lots/{lot}?view=table&page=7&sort=name",
        "images not judged": f"/lots/{lot}?verdict=none",
        "an image": f"/lots/{lot}/images/{image}",
        "parts to pull": f"/lots/{lot}/pull",
        "kinds of defects": f"/lots/{lot}/kinds",
    }
    first = {name: seconds(lambda path=path: page.goto(site + path)) for name, path in pages.items()}
    return {name: (first[name], seconds(lambda path=path: page.goto(site + path))) for name, path in pages.items()}


def judged_at_once(page: Page, site: str, lot: str, below: float) -> tuple[float, float]:
    """Seconds to select all images below a score, and from the key to what is said of them; undone again."""
    page.goto(f"{site}/lots/{lot}?verdict=none")
    page.fill("#name", "Ada")
    page.fill("#below", repr(below))
    said = page.locator("#said")
    selecting = seconds(
        lambda: (
            page.click("[data-select=below]"),
            page.wait_for_function(f"/{SELECTED:,}/.test(selected.textContent)"),
        )
    )
    page.locator("h1").click()
    judging = seconds(
        lambda: (page.keyboard.press("g"), page.wait_for_function(f"/{SELECTED:,} .*judged/.test(said.textContent)"))
    )
    print(f"  the page said: {said.inner_text()}")
    page.keyboard.press("Control+z")
    page.wait_for_function("/[Uu]ndid/.test(said.textContent)")
    return selecting, judging


def judged_one_by_one(page: Page, site: str, lot: str, image: str) -> list[float]:
    """Seconds from a verdict's key to the next image's photograph, image by image."""
    page.goto(f"{site}/lots/{lot}/images/{image}?verdict=none&decision=accepted")
    page.wait_for_load_state("networkidle")
    found = []
    for _ in range(STEPS):
        address = page.url
        began = time.perf_counter()
        page.keyboard.press("g")
        page.wait_for_url(lambda url, before=address: url != before)
        page.wait_for_function("photograph.complete && photograph.naturalWidth > 0")
        found.append(time.perf_counter() - began)
        page.wait_for_load_state("networkidle")
    return found


def main(arguments: Sequence[str]) -> None:
    """The command line: a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("images", 10_000), ("verdicts", 5_000), ("nights", 30), ("products", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        sizes = {"nights": options.nights, "products": options.products}
        store, lot = write_store(Path(folder), largest=options.images, verdicts=options.verdicts, **sizes)
        scores = Run(store, f"runs/{lot}").scores().sort_values("raw_score")
        below = float(scores["raw_score"].iloc[SELECTED - 1]) * (1 + 1e-9)
        image = str(scores["image_id"].iloc[len(scores) - options.verdicts - 1])
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        with serving(store) as (server, site):
            page = browser.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=True)
            for name, (first, second) in opened(page, site, lot, image).items():
                print(f"{name}: {first:.2f} s, then {second:.2f} s", flush=True)
            selecting, judging = judged_at_once(page, site, lot, below)
            print(f"{SELECTED:,} images: selected after {selecting:.2f} s, judged by one key after {judging:.2f} s")
            steps = judged_one_by_one(page, site, lot, image)
            print(f"key to next photograph: median {statistics.median(steps):.3f} s, longest {max(steps):.3f} s")
            print(f"memory of the server: {server.memory_info().rss / 1e6:.0f} MB")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
