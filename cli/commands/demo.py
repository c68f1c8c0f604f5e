"""`musc demo`: a generated lot, scored with the defaults and compared with its planted defects."""

from pathlib import Path

from cli.process.engines import score_lot, with_engine
from cli.terminal.progress import console, print_line, watching
from cli.terminal.tables import show_run
from cli.terminal.what_is_scored import announce, subject_of, where_of
from planning.requests import LotRequest
from reports.evaluation.labels import labelled, network_size_metrics
from reports.page.heatmaps import encode_picture
from storage.datasets import list_categories
from storage.datasets.synthetic.lot import write_lot
from storage.results.runs import Run
from storage.store import Store
from tasks.monitoring.summary import strip

PART = "cast"
GOOD, DEFECTIVE = 58, 6
"""Parts drawn: as in a usual lot, most are good."""
PICTURE_QUALITY = 85


def run(output: str, seed: int) -> None:
    """Draw the lot below `output`, score it as `musc score` does and show what was found.

    Prints ranking and metrics, and writes a picture of the most anomalous parts beside the lot.
    """
    root = Path(output) / f"lot-{seed}"
    photographs = root / PART / "test"
    images = write_lot(root / PART, good_count=GOOD, defective_count=DEFECTIVE, part=PART, seed=seed)
    print_line(f"Drew {len(images)} images of {PART} parts in {root / PART}")
    store = str(Path(output) / "results")
    request = with_engine(LotRequest(folder=str(photographs), output=store, lot=f"demo-{seed}", category=PART))
    announce(subject_of(request), where_of(request.resources.engine or "inline"))
    with watching():
        result = score_lot(request)
    show_run(store, result.run)
    finished = Run(Store(store), result.run)
    sheet = strip(finished, str(photographs))
    if sheet is not None:
        file = Path(f"{root}.jpg")
        file.write_bytes(encode_picture(sheet, quality=PICTURE_QUALITY))
        print_line(f"Picture of the most anomalous parts in {file}")
    category = list_categories("folder", root)[0]
    metrics = network_size_metrics(labelled(finished, category, root, photographs), category.dataset, root)
    console.print("Compared with the planted defects:", style="bold")
    for name in ("image_auroc", "image_f1_max", "image_ap", "pixel_auroc", "pixel_f1_max", "pixel_ap", "pixel_aupro"):
        console.print(f"  {name:<14} {metrics[name]:.3f}", highlight=False)
