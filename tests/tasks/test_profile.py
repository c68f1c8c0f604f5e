"""The few numbers of a run that later nights are compared with."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from storage.artefacts import writing
from storage.results.runs import SCORES, Run, write_record
from storage.store import Store
from storage.tables import write_table
from tasks.profile import profile_of
from tests.flat import job_of, record_of


def test_profile_is_the_runs_numbers(tmp_path: Path) -> None:
    store, nan = Store(str(tmp_path)), float("nan")
    record = record_of(job_of())
    record = record.model_copy(update={"decision": record.decision.model_copy(update={"flagged_count": 2})})
    with writing(store, "runs/x") as staging:
        write_table(store, f"{staging.path}/{SCORES}", pd.DataFrame({"raw_score": np.arange(100, -1, -1) / 100}))
        write_record(store, staging.path, record.model_dump(mode="json"))
    appearance = pd.DataFrame({"brightness": [0.2, nan, 0.4, 0.9], "sharpness": [nan] * 4})
    found = profile_of(Run(store, "runs/x"), appearance, np.array([[3.0, 0.0], [0.0, 0.5]], dtype=np.float32))
    assert [found.score_median, found.score_p90, found.score_p99] == pytest.approx([0.5, 0.9, 0.99])
    assert (found.image_count, found.flagged_count, found.flagged_rate) == (101, 2, 2 / 101)
    assert (found.brightness, found.sharpness) == (0.4, None)
    assert found.mean_class_token == pytest.approx([0.5**0.5] * 2)
    assert (found.run, found.lot, found.listing) == ("runs/x", "night", "l")
