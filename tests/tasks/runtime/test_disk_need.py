"""What a full disk is said to need, against what a small lot takes."""

from pathlib import Path

from flows.pipelines.lot import score_folder
from planning.estimates.operations_and_bytes import project_cost
from planning.job_from_request import prepare
from storage.datasets.synthetic.lot import write_lot
from tasks.runtime.disk_need import needed_bytes
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request


def test_need_of_a_small_lot_is_about_what_it_takes(tmp_path: Path) -> None:
    """Its files are much smaller than the units of a file system."""
    write_lot(tmp_path / "lot", good_count=7, defective_count=1, size=64, seed=3)
    request = lot_request(
        folder=str(tmp_path / "lot"), output=str(tmp_path / "store"), backbone="texture", image_size=64
    )
    score_folder(request, InlineRunner())
    taken = sum(path.stat().st_blocks * 512 for path in (tmp_path / "store").rglob("*") if path.is_file())
    folders = sum(path.is_dir() for path in (tmp_path / "store").rglob("*"))
    plan = project_cost(prepare(request), 8)
    assert 0.9 * taken < needed_bytes(plan) < 2 * (taken + 4096 * folders)
    assert plan.stored_bytes < taken / 2
