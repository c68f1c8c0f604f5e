"""The demonstration: a lot that draws itself, scored without weights, compared with the defects that were planted."""

from pathlib import Path

from cli.console import console, watching
from cli.tables import show_run
from flows.score_lot import score_lot
from storage.datasets import list_categories
from storage.generated import write_lot
from storage.runs import Run
from storage.store import Store
from tasks.evaluate import labelled, network_size_metrics

PART = "cast"


def run(output: str, seed: int) -> None:
    """Draw the lot below `output`, score it with the built-in `texture` backbone and print ranking and metrics."""
    root = Path(output) / f"lot-{seed}"
    images = write_lot(root / PART, part=PART, seed=seed)
    console.print(
        f"Drew {len(images)} images of {PART} parts in {root / PART}", highlight=False, soft_wrap=True, markup=False
    )
    store = str(Path(output) / "results")
    with watching():
        done = score_lot(str(root / PART / "test"), store, lot=f"demo-{seed}", category=PART, backbone="texture")
    show_run(store, done["run"])
    category = list_categories("folder", root)[0]
    metrics = network_size_metrics(labelled(Run(Store(store), done["run"]), category, root), category.dataset, root)
    console.print("Compared with the planted defects:", style="bold")
    for name in ("image_auroc", "image_f1_max", "image_ap", "pixel_auroc", "pixel_f1_max", "pixel_ap", "pixel_aupro"):
        console.print(f"  {name:<14} {metrics[name]:.3f}", highlight=False)
