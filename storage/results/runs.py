"""Runs: the folders of a store that hold a lot's results.

| file | holds |
|---|---|
| `scores.parquet` | a row per scored image, most anomalous first |
| `images.parquet` | a row per file of the lot's folder, with status and reason |
| `patch_scores.zarr` | float32 (N, rows, columns), images in the order of the `ok` rows of `images.parquet` |
| `boxes.parquet` | a row per odd region of a flagged or suspect image |
| `run.json` | everything needed to run it again, the decision, groups and warnings |
| `README.txt` | the same in plain words, for people who find the folder |
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from storage.artefacts import is_complete, require_complete
from storage.folder_names import names_in
from storage.images.lots import ListedImage, left_out_rows, listed_images, usable_images
from storage.results.patch_scores import fine_array, read_scores
from storage.store import Store, absolute
from storage.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "runs"
SCORES = "scores.parquet"
IMAGES = "images.parquet"
BOXES = "boxes.parquet"
PATCH_SCORES = "patch_scores.zarr"
RECORD = "run.json"
README = "README.txt"
CONTENTS = {
    SCORES: "a row per scored image, most anomalous first",
    BOXES: "a row per odd region of a flagged or suspect image",
    IMAGES: "a row per file of the folder, with status and reason",
    PATCH_SCORES: "patch scores of every scored image, from which anomaly maps are drawn",
    RECORD: "everything needed to run it again",
    README: "what lies here, and the settings, in plain words",
}
"""The files of a run and what they hold."""

REPORT_FOLDER = "report"
REPORT = "report.html"
"""The page's folder, an artefact of its own as `run_files` are, so that it can fail, or be made again, alone."""
EXAMPLES = 5
"""Results of a store that an error names."""


def write_record(store: Store, run: str, record: Mapping[str, object]) -> None:
    """Write a run's record, readable by people too."""
    store.write(f"{run}/{RECORD}", json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False).encode())


@dataclass(frozen=True)
class Run:
    """A finished run, for reading."""

    store: Store
    path: str

    def __post_init__(self) -> None:
        """Refuse a run that is not all there.

        Raises:
            IncompleteError: naming every file that is missing.
        """
        require_complete(self.store, [self.path])

    def scores(self) -> "pd.DataFrame":
        """A row per scored image, most anomalous first."""
        return read_table(self.store, f"{self.path}/{SCORES}")

    def boxes(self) -> "pd.DataFrame":
        """A row per connected odd region of a flagged or suspect image: where it lies, and its peak score."""
        return read_table(self.store, f"{self.path}/{BOXES}")

    def images(self) -> "pd.DataFrame":
        """A row per file of the lot's folder."""
        return read_table(self.store, f"{self.path}/{IMAGES}")

    def left_out(self) -> "pd.DataFrame":
        """A row per file that was not scored, with status and reason."""
        return left_out_rows(self.images())

    def patch_scores(self) -> np.ndarray:
        """Float32 (N, rows, columns), in the order of the `ok` rows of `images`."""
        return read_scores(self.store, f"{self.path}/{PATCH_SCORES}")

    def fine_scores(self) -> np.ndarray:
        """As `patch_scores`, of the levels with the finest grid only, from which defects are outlined."""
        return np.asarray(fine_array(self.store, f"{self.path}/{PATCH_SCORES}")[:])

    def record_content(self) -> bytes:
        """The bytes of `run.json`; `reports.run_record` reads them."""
        return self.store.read(f"{self.path}/{RECORD}")

    def scored_images(self) -> list[ListedImage]:
        """The scored images, in the order of `patch_scores`."""
        return usable_images(listed_images(self.images()))

    def report(self) -> str | None:
        """The path or URL of the run's page; None if it has none."""
        folder = f"{self.path}/{REPORT_FOLDER}"
        return self.store.location(f"{folder}/{REPORT}") if is_complete(self.store, folder) else None


def run_at(location: str) -> Run:
    """The finished run in a folder.

    Args:
        location: path or URL, as printed when the run finished.

    Raises:
        ValueError: if the folder lies in no store's `runs`, or is not there.
        IncompleteError: if the run is not complete, naming what is missing.
    """
    store, path = locate(location, (FOLDER,))
    return Run(store, path)


def locate(location: str, kinds: Sequence[str]) -> tuple[Store, str]:
    """The store of a result, and its path there.

    Args:
        location: path or URL of `<store>/<kind>/<name>`, as printed.

    Raises:
        ValueError: if the path does not end so, or nothing lies there; it names results that do.
    """
    url, kind, name = ["", "", *absolute(location).rstrip("/").rsplit("/", 2)][-3:]
    if not url or kind not in kinds:
        raise ValueError(
            f"run must be a folder in {' or '.join(f'{kind}/' for kind in kinds)} of a store, got {location}; "
            f"{example(Store(location), kinds)}"
        )
    store, path = Store(url), f"{kind}/{name}"
    if not store.exists(path):
        raise ValueError(f"run must be a folder that exists, got {location}; {example(store, kinds)}")
    return store, path


def example(store: Store, kinds: Sequence[str]) -> str:
    """What to give instead: results of a store, if it has any."""
    there = [place for kind in kinds for place in results_of(store, kind)]
    if not there:
        return f"give the path printed when it finished, such as musc-results/{FOLDER}/<name>"
    more = f", or one of {len(there) - EXAMPLES} others" if len(there) > EXAMPLES else ""
    return f"{store.location('')} holds {', '.join(there[:EXAMPLES])}{more}; give one of them with the store before it"


def results_of(store: Store, kind: str) -> list[str]:
    """Paths of all folders of a kind, such as `runs`; those that are not finished are among them."""
    return [f"{kind}/{name}" for name in names_in(store, kind)]
