"""Compare a night with earlier ones: one rule for every measure, from the median of the earlier runs.

A measure is unusual when it lies further from the earlier median than `allowance`: a multiple of the earlier runs' own
spread (the median absolute deviation, which a single bad night cannot stretch), and never less than a floor below
which a difference does not matter to anybody. Two to five nights hardly tell their own spread: there the allowance is
half the prediction interval of one further normal observation (Student's t; Hahn and Meeker, "Statistical Intervals"),
and the floor is three times as high. docs/report.md gives the reasons and the measured false alarms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.languages.current import gettext as _
from reports.languages.current import mark, ngettext
from reports.languages.numbers import number as number_of
from storage.results.profiles import Profile

MIN_EARLIER, ENOUGH_EARLIER, MAX_EARLIER = 2, 6, 30
"""Nights needed before large differences are called unusual, before all are judged, and the most that are looked at."""
FEW_DEVIATIONS = {2: 38.97, 3: 8.04, 4: 5.08, 5: 4.10}
"""Standard deviations of so many nights that the next one differs by in 2 %: t(0.99, n − 1) · sqrt(1 + 1/n)."""
FEW_FLOORS = 3
"""Floors that a difference must exceed where so few nights are known."""
SPREADS = 3.5
"""Deviations allowed where the spread is well known; `allowance` adds to it where few runs tell it."""
DEVIATION_PER_MAD = 1.4826
"""Of values that are distributed normally."""


@dataclass(frozen=True)
class Measure:
    """One number of a run that should stay alike from run to run."""

    name: str
    label: str
    floor: float
    """Differences up to this fraction of the earlier median (or, if `absolute`, up to this value) never matter."""
    higher: str
    """What it may mean when it is unusually high; empty if that is nothing to warn of."""
    lower: str
    absolute: bool = False
    percent: bool = False
    """Whether people read it in percent."""
    needs: int = MIN_EARLIER
    """Nights before it is judged."""

    def shown(self, value: float) -> str:
        """A value as people read it; a dash for what is not known."""
        if np.isnan(value):
            return "–"
        if self.percent:
            return _("%(number)s %%", number=number_of(100 * value, ".1f"))
        return number_of(value, ".4f")


MEASURES = (
    Measure(
        "score_median",
        mark("raw score of half of the images (median)"),
        0.05,
        higher=mark("the whole lot is less alike than usual: look for a change of product, light, focus or position"),
        lower=mark("the whole lot is more alike than usual: look for repeated photographs or blur"),
    ),
    Measure(
        "score_p90",
        mark("raw score that 90 %% of the images stay below"),
        0.08,
        higher=mark("more images than usual stand out, even where they are not flagged"),
        lower=mark("fewer images than usual stand out"),
    ),
    Measure(
        "flagged_rate",
        mark("flagged fraction of the images"),
        0.02,
        higher=mark("more parts than usual are flagged"),
        lower=mark("fewer parts than usual are flagged: make sure that defects are still seen"),
        absolute=True,
        percent=True,
    ),
    Measure(
        "brightness",
        mark("brightness, from 0 (black) to 1 (white)"),
        0.02,
        higher=mark("the photographs are brighter than usual: check lamps, exposure and gain"),
        lower=mark("the photographs are darker than usual: check lamps, exposure and gain"),
        absolute=True,
    ),
    Measure(
        "sharpness",
        mark("sharpness"),
        0.15,
        higher=mark("the photographs are sharper or noisier than usual: check gain, compression and focus"),
        lower=mark("the photographs are softer than usual: check focus, a dirty lens and motion"),
    ),
    Measure(
        "class_token_distance",
        mark("difference of what the photographs show as a whole, 0 is none"),
        0.005,
        higher=mark("the photographs show something else than usual: another product, view, background or light"),
        lower="",
        absolute=True,
        needs=ENOUGH_EARLIER,
    ),
)


@dataclass(frozen=True)
class MeasureComparison:
    """One measure of tonight beside the earlier runs."""

    measure: Measure
    value: float
    earlier: tuple[float, ...]
    """Of the nights that have this measure, oldest first."""
    median: float
    """Of the earlier values; NaN if there are none."""
    allowance: float
    """Most difference from the median that is still usual; NaN while there are too few earlier nights."""

    @property
    def state(self) -> str:
        """`unusual`, `usual` or `unknown`."""
        if np.isnan(self.allowance) or np.isnan(self.value):
            return "unknown"
        return "unusual" if abs(self.value - self.median) > self.allowance and self.meaning else "usual"

    @property
    def meaning(self) -> str:
        """What a difference in this direction may mean."""
        return self.measure.higher if self.value > self.median else self.measure.lower

    @property
    def warning(self) -> str:
        """The warning as a sentence; empty if nothing is unusual."""
        if self.state != "unusual":
            return ""
        meaning, count = _(self.meaning), len(self.earlier)
        message = ngettext(
            "%(meaning)s (%(measure)s: %(value)s; median of %(count)s earlier night: %(median)s).",
            "%(meaning)s (%(measure)s: %(value)s; median of %(count)s earlier nights: %(median)s).",
            count,
            meaning=meaning[0].upper() + meaning[1:],
            measure=_(self.measure.label),
            value=self.measure.shown(self.value),
            count=count,
            median=self.measure.shown(self.median),
        )
        few = _("%(count)s nights are few to compare with.", count=count) if count < ENOUGH_EARLIER else ""
        return f"{message} {few}".strip()


def compare(tonight: Profile, earlier: Sequence[Profile]) -> list[MeasureComparison]:
    """Compare a run's profile with those of earlier runs of the same product, scored in the same way.

    Args:
        earlier: profiles, oldest first; the latest `MAX_EARLIER` count.

    Returns:
        One comparison for each of `MEASURES`.
    """
    earlier = earlier[-MAX_EARLIER:]
    own_distance, distances = class_token_distances(tonight, earlier)
    compared = []
    for measure in MEASURES:
        if measure.name == "class_token_distance":
            value, values = own_distance, distances
        else:
            value, values = number(tonight, measure.name), [number(run, measure.name) for run in earlier]
        compared.append(compare_measure(measure, value, [*filter(np.isfinite, values)]))
    return compared


def compare_measure(measure: Measure, value: float, earlier: Sequence[float]) -> MeasureComparison:
    """One measure beside its earlier values."""
    if not earlier:
        return MeasureComparison(measure, value, (), float("nan"), float("nan"))
    median = float(np.median(earlier))
    return MeasureComparison(measure, value, tuple(earlier), median, allowance(measure, earlier))


def allowance(measure: Measure, earlier: Sequence[float]) -> float:
    """How far from the median of the earlier values a value may lie; NaN while they are too few to say."""
    count = len(earlier)
    if count < measure.needs:
        return float("nan")
    median = float(np.median(earlier))
    floor = measure.floor if measure.absolute else measure.floor * abs(median)
    if count < ENOUGH_EARLIER:
        return max(FEW_FLOORS * floor, FEW_DEVIATIONS[count] * float(np.std(earlier, ddof=1)))
    deviation = DEVIATION_PER_MAD * float(np.median(np.abs(np.subtract(earlier, median))))
    return max(floor, SPREADS * (1 + 4 / count) * deviation)


def class_token_distances(tonight: Profile, earlier: Sequence[Profile]) -> tuple[float, list[float]]:
    """Cosine distance of each run's mean class token from the mean of the (other) earlier runs' ones.

    Returns:
        Tonight's, NaN without earlier runs, and those of the earlier runs, which need one another.
    """
    if not earlier:
        return float("nan"), []
    tokens = unit(np.array([run.mean_class_token for run in earlier], dtype=float))
    own = unit(np.array(tonight.mean_class_token, dtype=float))
    total = tokens.sum(axis=0)
    distances = [cosine_distance(token, total - token) for token in tokens] if len(tokens) > 1 else []
    return cosine_distance(own, total), distances


def cosine_distance(first: np.ndarray, second: np.ndarray) -> float:
    """1 − the cosine between two vectors (D,), never below 0."""
    return max(0.0, float(1 - unit(first) @ unit(second)))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (…, D) of length 1; zeros stay zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def number(profile: Profile, name: str) -> float:
    """A measure of a profile by its name; NaN where it could not be taken."""
    value = getattr(profile, name)
    return float("nan") if value is None else float(value)
