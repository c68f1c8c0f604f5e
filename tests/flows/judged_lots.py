"""Two drawn nights of a product, scored and judged by what is known of them, for tests of tuning."""

from pathlib import Path

from flows.pipelines.lot import score_folder
from storage.datasets.synthetic.lot import write_lot
from storage.results.runs import Run
from storage.results.verdicts import DEFECTIVE, GOOD, Verdict, add_verdict
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request

PRODUCT = "cap"
SETTINGS = {"backbone": "texture", "image_size": 64}


def draw_night(root: Path, night: int, *, good: int = 8, bad: int = 5) -> Path:
    """A folder `lots/cap/2026-11-NN` of small photographs; those with a defect have `bad` in their names."""
    pictures = write_lot(root / f"drawn-{night}", good_count=good, defective_count=bad, size=96, seed=night)
    folder = root / "lots" / PRODUCT / f"2026-11-{night}"
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        name = f"{'good' if number < good else 'bad'}-{number:02d}.png"
        (folder / name).write_bytes(picture.read_bytes())
    return folder


def score_night(root: Path, folder: Path) -> Run:
    """Score a night with settings that are quick."""
    done = score_folder(lot_request(folder, root / "store", category=PRODUCT, **SETTINGS), InlineRunner())
    return Run(Store(str(root / "store")), done.run)


def judge(run: Run, count: int, *, kinds: tuple[str, ...] = (DEFECTIVE, GOOD), start: int = 0) -> None:
    """Say of so many images of each kind what their names say, from the one at `start` on."""
    images = {image.image_id: image for image in run.scored_images()}
    for kind in kinds:
        named = "bad" if kind == DEFECTIVE else "good"
        rows = [row for row in run.scores().sort_values("path").itertuples() if str(row.path).startswith(named)]
        for row in rows[start : start + count]:
            image = images[str(row.image_id)]
            said = {"decision": str(row.decision), "verdict": kind, "name": "Ann"}
            place = (run.path, image.image_id, image.path, image.sha256, PRODUCT)
            add_verdict(run.store, Verdict(*place, raw_score=float(row.raw_score), **said))
