"""What verdicts gain: figures of the table, from image scores that are kept."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.tune.__main__ import USUAL, gains, lots, main
from planning.tuning.choices import choices_of


def test_table_is_made_from_kept_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    choices = choices_of(USUAL.networks, USUAL.sizes)
    rng, names = np.random.default_rng(0), [*(f"defective-{n}" for n in range(12)), *(f"good-{n}" for n in range(12))]
    defective = np.arange(24) < 12
    better = {choice.text: 4.0 if choice.image_score == "position" else 0.0 for choice in choices}
    columns = {text: rng.normal(size=24) + shift * defective for text, shift in better.items()}
    (tmp_path / "scores").mkdir()
    (tmp_path / "data" / "pin" / "test").mkdir(parents=True)
    pd.DataFrame(columns, index=pd.Index(names, name="path")).to_parquet(tmp_path / "scores" / "pin.parquet")
    given = ["--scores", str(tmp_path / "scores"), "--verdicts", "6", "--draws", "4"]
    main([str(tmp_path / "data"), *given, "--json", str(tmp_path / "rows.json")])
    pin, mean = json.loads((tmp_path / "rows.json").read_text())
    assert (pin["lot"], pin["changed"], mean["gain"]) == ("pin", 1.0, pin["gain"])
    assert pin["gain"] > 0.3
    assert "| pin | 6 + 6 |" in capsys.readouterr().out
    (lot,) = lots([tmp_path / "data"], tmp_path / "scores", choices)
    found, changed = gains(lot, 6, 4, choices)
    assert (len(found), changed) == (4, 1.0)
