"""Three nights as a person has them: the command, the site over HTTP, and what is handed on, one after the other."""

import io
import json
import re
import threading
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import pandas as pd
import pytest
import uvicorn
from typer.testing import CliRunner

from cli.main import app
from storage.datasets import list_categories
from storage.datasets.synthetic.lot import write_lot
from storage.results.runs import Run
from storage.store import Store
from web.app import create_app
from web.serve import SiteAddress, listening

GOOD, DEFECTIVE, SIDE = 8, 2, 64
HOW = ("--backbone", "texture", "--image-size", "64", "--layers", "0", "--degrees", "1", "--engine", "inline")
BOX = {"shape": "box", "points": [[8, 8], [24, 8], [24, 20], [8, 20]]}
CORNER = {"shape": "box", "points": [[0, 0], [8, 0], [8, 8], [0, 8]]}


def musc(*words: object) -> str:
    """What a command prints; it must succeed."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


class Person:
    """Somebody with a browser: follows links, and sends what the pages send."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.at = site

    def get(self, link: str) -> bytes:
        with urlopen(urljoin(self.at, link)) as answer:
            return bytes(answer.read())

    def open(self, link: str) -> str:
        page = self.get(link).decode()
        self.at = urljoin(self.at, link)
        return page

    def follow(self, page: str, pattern: str) -> str:
        """Open the first link whose address fits."""
        found = re.search(rf'href="({pattern})"', page)
        assert found, pattern
        return self.open(unescape(found[1]))

    def send(self, place: str, **content: Any) -> Any:
        """Send something from an image's page, as its script does."""
        base = re.search(r'data-base="([^"]*)"', self.get("").decode())
        assert base
        headers = {"Content-Type": "application/json", "X-Requested-With": "musc", "Origin": self.site}
        asked = Request(f"{urljoin(self.at, base[1])}/{place}", json.dumps(content).encode(), headers)
        with urlopen(asked) as answer:
            return json.loads(answer.read())

    def judge(self, lot: str, image: str, verdict: str, regions: tuple[Any, ...] = ()) -> Any:
        self.open(f"{self.site}/lots/{lot}/images/{image}")
        return self.send("verdicts", verdict=verdict, name="Ada", note="", regions=list(regions))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where photographs of `cap` come in, night by night."""
    return tmp_path / "lots"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "results"))


def photograph(root: Path, night: str) -> None:
    """The line takes tonight's photographs."""
    drawn = write_lot(root.parent / night, good_count=GOOD, defective_count=DEFECTIVE, size=SIDE, seed=int(night[-2:]))
    folder = root / "cap" / night
    folder.mkdir(parents=True)
    for number, picture in enumerate(drawn):
        kind = "good" if number < GOOD else "bad"
        (folder / f"{kind}-{number}.png").write_bytes(picture.read_bytes())


@pytest.fixture
def person(store: Store) -> Iterator[Person]:
    """A visitor of the site, which runs on all three nights."""
    Path(store.url, "runs").mkdir(parents=True)
    with listening(SiteAddress("127.0.0.1", 0, None)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(store), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Person(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server.should_exit = True
        thread.join(10)


def run_of(store: Store, night: str) -> Run:
    (folder,) = Path(store.url, "runs").glob(f"cap-{night}-*")
    return Run(store, f"runs/{folder.name}")


def record_of(run: Run) -> Any:
    return json.loads(run.record_content())


def test_what_a_person_says_in_one_night_counts_in_the_next(root: Path, store: Store, person: Person) -> None:
    photograph(root, "2026-11-20")
    said = musc("nightly", root, "--output", store.url, *HOW)
    assert "cap-2026-11-20" in said

    first = run_of(store, "2026-11-20")
    ids = {row.path: row.image_id for row in first.scores().itertuples()}
    lot = first.path.removeprefix("runs/")
    page = person.follow(person.open(person.site), r"[^\"]*lots/cap-2026-11-20-[0-9a-f]+")
    page = person.follow(page, r"[^\"]*/images/[0-9a-f]+\?[^\"]*")
    assert first.scores()["path"][0] in page, "the most anomalous one comes first"
    for path, image in ids.items():
        bad = path.startswith("bad")
        answer = person.judge(lot, image, "defective" if bad else "good", (BOX,) if bad else ())
        assert answer["current"]["verdict"] == ("defective" if bad else "good")
    assert person.send("ignored", name="Ada", saved="", regions=[CORNER])["saved"]

    table = pd.read_csv(io.BytesIO(person.get(f"{person.site}/lots/{lot}/verdicts/csv")), encoding="utf-8-sig")
    assert table.groupby("verdict").size().to_dict() == {"defective": DEFECTIVE, "good": GOOD}
    coco = json.loads(person.get(f"{person.site}/lots/{lot}/verdicts/coco"))
    assert [one["bbox"] for one in coco["annotations"]] == [[8, 8, 16, 12]] * DEFECTIVE
    tasks = json.loads(person.get(f"{person.site}/lots/{lot}/verdicts/labelstudio"))
    assert len(tasks) == GOOD + DEFECTIVE

    photograph(root, "2026-11-21")
    asked = ("nightly", root, "--output", store.url, "--good-from-verdicts", "--ignore-drawn", *HOW)
    musc(*asked)
    second = record_of(run_of(store, "2026-11-21"))
    (good,) = second["job"]["judged_good"]
    assert sorted(good["image_ids"]) == sorted(image for path, image in ids.items() if path.startswith("good"))
    assert second["job"]["region"]["ignored"].startswith("ignored/cap/")
    page = person.open(f"{person.site}/{run_of(store, '2026-11-21').path.replace('runs/', 'lots/')}")
    assert "This run left them out" in page
    assert f"{GOOD} images judged good in earlier runs" in page

    changed = person.judge(lot, ids["good-0.png"], "withdrawn")
    assert changed["current"] is None
    assert person.judge(lot, ids["good-1.png"], "defective")["current"]["verdict"] == "defective"

    photograph(root, "2026-11-22")
    musc(*asked, "--export", "csv,coco,labelstudio")
    third = run_of(store, "2026-11-22")
    (good,) = record_of(third)["job"]["judged_good"]
    assert len(good["image_ids"]) == GOOD - 2
    assert not {ids["good-0.png"], ids["good-1.png"]} & set(good["image_ids"])
    report = Path(third.report() or "").read_text("utf-8")
    assert "compared with 1 earlier night<" in report, "exports of the first night score nothing again"

    exported = Path(store.url, third.path)
    listed = pd.read_csv(exported / "export-csv" / "scores.csv", encoding="utf-8-sig")
    pd.testing.assert_series_equal(listed["raw_score"], third.scores()["raw_score"], check_dtype=False, rtol=1e-5)
    coco = json.loads((exported / "export-coco" / "coco.json").read_text("utf-8"))
    assert [one["file_name"] for one in coco["images"]] == [image.path for image in third.scored_images()]
    tasks = json.loads((exported / "export-labelstudio" / "labelstudio.json").read_text("utf-8"))
    assert len(tasks) == GOOD + DEFECTIVE

    page = person.open(person.site)
    assert all(night in page for night in ("2026-11-20", "2026-11-21", "2026-11-22"))
    assert "3 nights" in page

    labelled = root.parent / "labelled"
    musc("verdicts", "export", store.location(first.path), "--format", "mvtec", "--output", labelled)
    (category,) = list_categories("folder", labelled)
    assert sum(image.label == 0 for image in category.images) == GOOD - 2
    musc("benchmark", "folder", labelled, "--output", store.url, *HOW)
    page = person.open(person.site)
    assert "Benchmarks" in page
    assert "3 nights" in page, "the benchmark of the same photographs is no night"
    assert "Identical: all scores" in musc("reproduce", store.location(third.path))
