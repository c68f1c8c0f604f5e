"""What verdicts gain by choosing settings: image AUROC on the images that were not judged, over that of the default.

    python -m benchmarks.tune ../shared/data/cookies ../shared/data/magnetic_tile ../shared/data/metal_plate \\
        ../shared/data/mvtec_ad ../shared/data/woven --scores tuning-scores

Of each category, in the layout of `musc benchmark folder`, up to 30 good and 30 defective images are drawn and scored
with every choice of `musc tune`; the scores are kept in a folder, so that a second call takes seconds. Then verdicts
are drawn many times: as many good as defective images, the settings chosen by them, and both compared on the rest.
What a draw takes from a lot is missing from its rest: of two settings that are equally good on the whole lot, the one
that a draw favours is the worse one on the rest, so that figures are rather too low.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.inputs import add_json_option, print_table, table_row
from flows.pipelines.tune import compute_trial
from musc.metrics import image_metrics
from musc.settings import Settings
from musc.tuning.choose import choose
from musc.tuning.evidence import weigh
from planning.job_from_request import prepare
from planning.requests import LotRequest
from planning.tuning.choices import PROVEN, Choice, choices_of, traits
from planning.tuning.request import TuneRequest
from planning.tuning.tuning_specs import trial_spec
from storage.datasets.folder_contents import images_in
from storage.products.tunings import SCORES
from storage.store import Store
from storage.tables import read_table
from tasks.ingest import list_images
from tasks.runtime.runner import InlineRunner

TITLES = ("lot", "verdicts", "default", "best choice", "gain", "5 % worst", "changed")
MOST = 30
"""Images of each kind."""
USUAL = TuneRequest(category="any")


class Scored(NamedTuple):
    """Image scores of one lot."""

    name: str
    defective: np.ndarray
    """Bool (N,)."""
    scores: np.ndarray
    """Float (K, N), a row for each choice, the default first."""


def drawn_images(category: Path, target: Path) -> None:
    """Copy up to `MOST` images of each kind to a folder, as `good-…` and `defective-…`."""
    rng, kinds = np.random.default_rng(0), sorted((category / "test").iterdir())
    good = [*images_in(category / "test" / "good"), *images_in(category / "train" / "good")]
    defective = [image for kind in kinds if kind.name != "good" for image in images_in(kind)]
    target.mkdir(parents=True)
    for name, images in (("good", good), ("defective", defective)):
        for place in rng.permutation(len(images))[:MOST]:
            image = images[place]
            (target / f"{name}-{image.parent.name}-{image.name}").write_bytes(image.read_bytes())


def scored(category: Path, choices: Sequence[Choice]) -> pd.DataFrame:
    """Score the drawn images of a category with every choice: a row for each image, a column for each choice."""
    with tempfile.TemporaryDirectory() as place:
        folder, store, runner = Path(place) / category.name, str(Path(place) / "store"), InlineRunner()
        drawn_images(category, folder)
        tables = []
        for first in dict.fromkeys(choice.scored_with() for choice in choices):
            settings = first.applied_to(Settings())
            job = prepare(LotRequest(folder=str(folder), output=store, settings=settings))
            listing = list_images(job.folder, store)
            alike = tuple(choice for choice in choices if choice.scored_with() == first)
            spec = trial_spec(job, listing.lot_key, alike)
            compute_trial(spec, runner)
            tables.append(read_table(Store(store), f"{spec.path}/{SCORES}").set_index("path"))
        return pd.concat([table.drop(columns="sha256") for table in tables], axis=1)


def lots(roots: Sequence[Path], kept: Path, choices: Sequence[Choice]) -> Iterator[Scored]:
    """Every category with its scores, which are computed where the folder does not hold them."""
    kept.mkdir(parents=True, exist_ok=True)
    for category in (folder for root in roots for folder in sorted(root.iterdir()) if (folder / "test").is_dir()):
        file = kept / f"{category.name}.parquet"
        if not file.exists():
            scored(category, choices).to_parquet(file)
        table = pd.read_parquet(file)
        defective = np.asarray(table.index.str.startswith("defective"))
        yield Scored(category.name, defective, table[[choice.text for choice in choices]].to_numpy().T)


def auroc(lot: Scored, choice: int, images: np.ndarray) -> float:
    """Image AUROC of a choice on some images."""
    return image_metrics(lot.defective[images].astype(int), lot.scores[choice, images])["auroc"]


def gains(lot: Scored, count: int, draws: int, choices: Sequence[Choice]) -> tuple[np.ndarray, float]:
    """AUROC over that of the default on the images not judged, of each draw, and how often settings changed."""
    rng, near = np.random.default_rng(0), [traits(choice) for choice in choices]
    proven = choices.index(PROVEN) if PROVEN in choices else 0
    found, changed = [], 0
    for _ in range(draws):
        kinds = (np.flatnonzero(lot.defective), np.flatnonzero(~lot.defective))
        judged = np.concatenate([rng.choice(kind, count, replace=False) for kind in kinds])
        rest = np.setdiff1d(np.arange(len(lot.defective)), judged)
        choice = choose(weigh(lot.scores[:, judged], lot.defective[judged]), near, proven).choice
        changed += choice != 0
        found.append(auroc(lot, choice, rest) - auroc(lot, 0, rest) if choice else 0.0)
    return np.array(found), changed / draws


def rows(options: argparse.Namespace) -> Iterator[dict[str, object]]:
    """A row for each lot and number of verdicts, and one for the mean of the lots."""
    choices = choices_of(USUAL.networks, USUAL.sizes)
    every = list(lots(options.roots, options.scores, choices))
    for count in options.verdicts:
        means = []
        for lot in every:
            found, changed = gains(lot, count, options.draws, choices)
            whole = np.arange(len(lot.defective))
            best = max(auroc(lot, choice, whole) for choice in range(len(choices)))
            means.append(found.mean())
            figures = {"default": auroc(lot, 0, whole), "best": best, "gain": found.mean()}
            worst = np.quantile(found, 0.05)
            yield {"lot": lot.name, "verdicts": count, **figures, "worst": worst, "changed": changed}
        yield {"lot": "mean", "verdicts": count, "gain": float(np.mean(means))}


def text_of(row: dict[str, object]) -> str:
    """A row of a Markdown table."""
    whole = [f"{row[name]:.3f}" if name in row else "" for name in ("default", "best")]
    signed = [f"{row[name]:+.3f}" if name in row else "" for name in ("gain", "worst")]
    changed = f"{row['changed']:.0%}" if "changed" in row else ""
    count = f"{row['verdicts']} + {row['verdicts']}"
    return table_row([str(row["lot"]), count, *whole, *signed, changed])


def main(arguments: Sequence[str]) -> None:
    """The command line: a table that Markdown understands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("roots", type=Path, nargs="+", help="labelled folders, as for `musc benchmark folder`")
    parser.add_argument("--scores", type=Path, default=Path("tuning-scores"), help="folder that keeps image scores")
    parser.add_argument("--verdicts", type=int, nargs="+", default=[10, 5], help="of each kind")
    parser.add_argument("--draws", type=int, default=100)
    add_json_option(parser)
    options = parser.parse_args(arguments)
    print_table(TITLES, rows(options), text_of, options.json)


if __name__ == "__main__":
    main(sys.argv[1:])
