"""The night on paper in the docs is what the planning functions say."""

from pathlib import Path

import pytest

from musc.plan.cost import pair_count
from tests.forking import ForkServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def printed(forks: ForkServer) -> list[str]:
    return forks.run(["benchmarks/dry_run.py"], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}).splitlines()


def test_operations_page_holds_the_printed_table(printed: list[str]) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = [line for line in printed if line.startswith("| ")]
    assert len(rows) == 4
    for row in rows:
        assert row in page
    assert printed[-1].removeprefix("extraction: ") in page


def test_hours_are_operations_over_eight_gpus(printed: list[str]) -> None:
    row = next(line for line in printed if line.startswith("| 100 × 1,000"))
    operations = 100 * 12 * pair_count(1000, 1000, 1000) * 2 * 1369**2 * 1024
    assert f"| {operations / 1e18:.1f} |" in row
    assert f"| {operations / 8e12 / 3600:.0f} / R |" in row
