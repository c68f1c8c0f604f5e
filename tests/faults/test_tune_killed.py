"""`musc tune` killed half-way: it goes on from there and ends with the same comparison."""

import shutil
from pathlib import Path

from storage.products.tunings import Tuning, read_tuning
from storage.store import Store
from tests.flows.judged_lots import PRODUCT, draw_night, judge, score_night
from tests.forking import ForkServer
from tests.killing import Command, complete

WORDS = ("--networks", "texture", "--sizes", "64,96", "--engine", "inline")


def compared(output: Path) -> Tuning:
    (folder,) = (output / "tunings").iterdir()
    return read_tuning(Store(str(output)), f"tunings/{folder.name}").model_copy(update={"time": ""})


def test_killed_tuning_goes_on(tmp_path: Path, prefect_forks: ForkServer) -> None:
    judge(score_night(tmp_path, draw_night(tmp_path, 21)), 5)
    undisturbed, killed = tmp_path / "store", tmp_path / "killed"
    shutil.copytree(undisturbed, killed)
    command = Command(("tune", PRODUCT, *WORDS), None, prefect_forks)
    command.kill_at("tasks.extract.write_features", 2, killed)
    before = complete(killed)
    assert len(complete(killed, "trials")) >= 1, "one network at one size is compared"
    assert not (killed / "tunings").exists()
    for store in (killed, undisturbed):
        command.finish(command.start(store))
    assert before.items() <= complete(killed).items()
    assert complete(killed).keys() == complete(undisturbed).keys()
    assert compared(killed) == compared(undisturbed)
