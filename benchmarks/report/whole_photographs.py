"""How often the report finds a drawn change and names it: changes are drawn on whole photographs, which are scored.

    python -m benchmarks.report.whole_photographs ../shared/data/mvtec_ad ../shared/data/cookies --seed 10 --store drawn

Good photographs of a product become one lot; on two of each kind (on one, where there are fewer than 30) a change is
drawn in a square of an eighth of the shorter side, until it can be seen (`benchmarks.report.differences`). The lot is
scored as `musc score` does. A row is a kind: in how many photographs the middle of the worst place lies in the square
(`place`; `listed`: of those flagged or suspect), and in how many the kind is named first, or at all. What is kept in
the store is not computed again.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.report.differences import KINDS, TRIES, changed, seen, word_of
from flows.pipelines.lot import score_folder
from planning.requests import LotRequest, request_of
from reports.page.crops import close_up_grid
from reports.page.find_causes import measured_places
from reports.page.finished_run import FinishedRun
from storage.datasets import list_categories
from storage.datasets.folder_contents import images_in
from storage.images.decode import decode
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner

MOST, FEW = 44, 30
"""Photographs of a lot, and how many are so few that one of each kind is changed."""
SHARE = 8
"""A change has so many-th of the photograph's shorter side."""
DRAWN = tuple(kind for kind in KINDS if kind != "nothing")

Box = tuple[int, int, int, int]


class Change(NamedTuple):
    """What was drawn on a photograph."""

    kind: str
    box: Box
    """Left, top, right, bottom in pixels."""


@dataclass(frozen=True)
class Outcome:
    """What the report says of one photograph with a change."""

    kind: str
    listed: bool
    inside: bool
    """Whether the middle of the worst place lies in the square."""
    named: tuple[str, ...]
    """The kinds that are named, the strongest first."""


def draw_lot(folder: Path, paths: Sequence[Path], seed: int) -> dict[str, Change]:
    """Write the photographs of a lot, and return what was drawn, by file name."""
    rng = np.random.default_rng(seed)
    chosen = [paths[place] for place in rng.permutation(len(paths))[:MOST]]
    kinds = DRAWN * (1 if len(chosen) < FEW else 2)
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Change] = {}
    for number, path in enumerate(chosen):
        pixels = np.array(decode(path.read_bytes()).convert("RGB"))
        name = f"{number:03d}.png"
        if number < len(kinds) and (box := draw(pixels, kinds[number], rng)):
            drawn[name] = Change(kinds[number], box)
        Image.fromarray(pixels).save(folder / name, compress_level=1)
    return drawn


def draw(pixels: np.ndarray, kind: str, rng: np.random.Generator) -> Box | None:
    """Draw a change on a photograph, uint8 (height, width, 3); None where no square shows one."""
    side = min(pixels.shape[:2]) // SHARE
    for _try in range(TRIES):
        top, left = rng.integers(0, np.array(pixels.shape[:2]) - side + 1).tolist()
        window = pixels[top : top + side, left : left + side]
        after = changed(window, kind, rng)
        if seen(window, after, kind):
            window[:] = after
            return left, top, left + side, top + side
    return None


def outcomes(finished: FinishedRun, drawn: dict[str, Change]) -> Iterator[Outcome]:
    """What the report says of each changed photograph; of one that is not listed, what the site says."""
    changes = {position: drawn[image.path] for position, image in enumerate(finished.images) if image.path in drawn}
    listed = [position for position in changes if finished.listed[position]]
    for together in (listed, *([position] for position in changes if position not in listed)):
        places = measured_places(finished, together)
        for position in together:
            named = tuple(map(word_of, places.differences.get(position) or ()))
            kind, box = changes[position]
            yield Outcome(kind, position in listed, inside(finished, position, box), named)


def inside(finished: FinishedRun, position: int, box: Box) -> bool:
    """Whether the middle of an image's worst place lies in a box."""
    rows, columns = close_up_grid(finished.record, finished.grid)
    row, column = divmod(finished.worst_patch(position), columns)
    image = finished.images[position]
    x, y = (column + 0.5) / columns * image.width, (row + 0.5) / rows * image.height
    return box[0] <= x < box[2] and box[1] <= y < box[3]


def row_of(name: str, found: Sequence[Outcome]) -> str:
    """A row of a Markdown table."""
    listed = [one for one in found if one.listed]
    right = [one for one in found if one.inside]
    other = Counter((one.named or ("nothing",))[0] for one in found if one.named[:1] != (one.kind,))
    figures = [
        f"{sum(one.inside for one in found)} of {len(found)}",
        f"{sum(one.inside for one in listed)} of {len(listed)}",
        f"{sum(one.named[:1] == (one.kind,) for one in found)}",
        f"{sum(one.kind in one.named for one in found)}",
        f"{sum(one.kind in one.named for one in right)} of {len(right)}",
        ", ".join(f"{kind} {count}" for kind, count in other.most_common()),
    ]
    return f"| {' | '.join([name, *figures])} |"


def main(arguments: Sequence[str]) -> None:
    """The command line: tables of kinds and of products."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", type=Path, nargs="+", help="labelled folders whose good photographs are taken")
    parser.add_argument("--seed", type=int, nargs="+", default=[0], help="of the draws; a lot of each product for each")
    parser.add_argument("--store", type=Path, required=True, help="folder of the drawn lots and their results")
    options = parser.parse_args(arguments)
    by_product: dict[str, list[Outcome]] = {}
    for root in options.roots:
        for category in list_categories("folder", root):
            good = [root / image.path for image in category.images if not image.label]
            good += images_in(root / category.name / "train" / "good")
            for seed in options.seed:
                folder = options.store / "lots" / f"{category.name}-{seed}"
                drawn = draw_lot(folder, good, seed)
                given = {"folder": str(folder), "output": str(options.store / "results"), "category": category.name}
                done = score_folder(request_of(LotRequest, given), InlineRunner())
                finished = FinishedRun(Run(Store(given["output"]), done.run), str(folder))
                by_product.setdefault(category.name, []).extend(outcomes(finished, drawn))
            print(row_of(category.name, by_product[category.name]), flush=True)
    every = [one for found in by_product.values() for one in found]
    print("\n| drawn | place | listed | named first | named | named where the place is right | named first instead |")
    print("|---|---|---|---|---|---|---|")
    for kind in DRAWN:
        print(row_of(kind, [one for one in every if one.kind == kind]))
    print(row_of("all", every))


if __name__ == "__main__":
    main(sys.argv[1:])
