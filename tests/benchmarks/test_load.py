"""Nothing that is done with a store grows faster than the store: files opened and folders listed, counted."""

from pathlib import Path

import pytest

from benchmarks.load import at_once
from benchmarks.load.__main__ import costs, table
from benchmarks.load.copies import Place, grown, scored_once
from benchmarks.load.counted import Cost
from planning.nights.due_lots import check_lot, night_job
from storage.images.lot_tree import find_lots

PRODUCTS, FEW, MANY = 2, 3, 12
"""Nights of each product in the smaller and in the larger store."""
CONSTANT = 40
"""Files and folders that do not depend on the store's size, and what differs by chance."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return scored_once(tmp_path_factory.mktemp("load") / "template")


@pytest.fixture(scope="module")
def measured(template: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Cost]]:
    """Costs of each action in both stores."""
    folder = tmp_path_factory.mktemp("grown")
    return {
        nights: costs(grown(folder / str(nights), template, products=PRODUCTS, nights=nights), template)
        for nights in (FEW, MANY)
    }


def test_no_action_costs_more_files_and_folders_than_in_proportion_to_the_store(
    measured: dict[int, dict[str, Cost]],
) -> None:
    few, many = measured[FEW], measured[MANY]
    for action, cost in many.items():
        allowed = few[action].files + few[action].folders
        assert cost.files + cost.folders <= MANY / FEW * allowed + CONSTANT, action


def test_what_was_read_once_is_not_read_again(measured: dict[int, dict[str, Cost]]) -> None:
    again = {action: cost.files for action, cost in measured[MANY].items() if action.endswith("again")}
    assert again == dict.fromkeys(again, 0)


def test_copies_are_finished_lots(template: Place, tmp_path: Path) -> None:
    place = grown(tmp_path / "copies", template, products=1, nights=2)
    job = night_job(place.request)
    lots = find_lots(str(place.root)).lots
    files = [place.request.lot(found.folder, found.lot, found.category).files for found in lots]
    checks = [check_lot(found, job, wanted) for found, wanted in zip(lots, files, strict=True)]
    assert [bool(check.outcome) and not check.lacks for check in checks] == [True, True]


def test_table_has_a_column_for_each_size() -> None:
    cost = Cost("", 1000, 2, 0.25)
    assert table({5: {"night": cost}, 10: {"night": cost}}).splitlines()[-1] == (
        "| night | 1,000 + 2, 0.2 s | 1,000 + 2, 0.2 s |"
    )


def test_requests_of_runs_asked_for_at_once_are_counted_without_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    run = "01a227f9-7f66-77db-a735-0f9b6875dfc2"
    lines = [
        f"GET /api/flow_runs/{run} HTTP/1.1",
        f"POST /api/{at_once.OWN} HTTP/1.1",
        "GET /api/logs/?limit=3 HTTP/1.1",
    ]
    log.write_text("".join(f'INFO: 127.0.0.1:1 - "{line}" 200 OK\n' for line in lines))
    assert at_once.requests_in(log) == {"GET /api/flow_runs/…": 1, "GET /api/logs/": 1}
    seen = [(at_once.Ended("COMPLETED", 10.0 * number, 10.0 * number + 4), 100 + 7 * number) for number in range(8)]
    at_once.show(seen, 93)
    shown = capsys.readouterr().out.splitlines()
    assert shown[2:] == [f"| {first} to {first + 1} | 4.0 | 10.0 | 7 |" for first in (1, 3, 5, 7)]
