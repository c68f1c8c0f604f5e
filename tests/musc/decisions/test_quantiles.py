"""Smooth quantiles and their errors are those of scipy.stats.mstats."""

import numpy as np
import pytest
from scipy.stats.mstats import hdquantiles, hdquantiles_sd

from musc.decisions.quantiles import smooth_quantile, smooth_quantile_error


@pytest.mark.parametrize("count", [2, 3, 101])
@pytest.mark.parametrize("fraction", [0.03, 0.5, 0.97])
def test_quantiles_and_errors_agree_with_scipy(count: int, fraction: float) -> None:
    ordered = np.sort(np.random.default_rng(4).gamma(2.0, size=count))
    assert smooth_quantile(ordered, fraction) == pytest.approx(hdquantiles(ordered, [fraction])[0], rel=1e-12)
    error = hdquantiles_sd(ordered, [fraction])[0]
    assert smooth_quantile_error(ordered, fraction) == pytest.approx(error, rel=1e-9, abs=1e-12)
