"""`musc clean`: unused artefacts of a store, and the space that deleting them frees."""

from collections import Counter

from rich.table import Table

from cli.terminal.progress import console
from storage.prune import STAGED, Prunable, delete, find_prunable
from storage.secrets import require_no_secret
from storage.store import Store, require_path
from storage.tables import BENCHMARKS

KINDS = {
    "staging": "staging folders of killed runs",
    "lease": "leases of runs never finished",
    "features": "features no run uses",
    "aggregated": "aggregated features no run uses",
    "patch_scores": "patch scores no run uses",
    "groups": "groups no run uses",
    "regions": "regions of interest no run uses",
    "lots": "listings no run uses",
}


def run(url: str, older_than_days: float, *, really: bool) -> None:
    """Show what may be deleted, and delete it if asked to.

    Raises:
        FileNotFoundError: if there is no store.
        ValueError: if the path is empty.
    """
    require_no_secret("store", url)
    require_path("store", url)
    store = Store(url)
    if not store.exists(""):
        raise FileNotFoundError(f"store must be an existing folder, got {url}, which does not exist; check the path")
    if not any(store.exists(folder) for folder in (*STAGED, BENCHMARKS)):
        raise ValueError(
            f"store must be the --output of earlier runs, got {url}, which holds none of their folders; check the path"
        )
    unused = find_prunable(store, older_than_days=older_than_days)
    if really:
        delete(store, unused)
    if not unused:
        days = "1 day" if older_than_days == 1 else f"{older_than_days:g} days"
        console.print(f"Nothing to free: nothing older than {days} is unused.", highlight=False)
        return
    console.print(summary(unused))
    total = sum(prunable.size_bytes for prunable in unused) / 1e6
    verb = "Freed" if really else "Would free"
    advice = "" if really else " Add --delete to do it."
    items = "1 item" if len(unused) == 1 else f"{len(unused):,} items"
    console.print(f"{verb} {total:,.1f} MB in {items}.{advice}", highlight=False)


def summary(unused: list[Prunable]) -> Table:
    """A row per kind of what may be deleted."""
    counts, sizes = Counter[str](), Counter[str]()
    for prunable in unused:
        counts[prunable.kind] += 1
        sizes[prunable.kind] += prunable.size_bytes
    table = Table()
    for heading in ("what", "items", "MB"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for kind, text in KINDS.items():
        if counts[kind]:
            table.add_row(text, f"{counts[kind]:,}", f"{sizes[kind] / 1e6:,.1f}")
    return table
