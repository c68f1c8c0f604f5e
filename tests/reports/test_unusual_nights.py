"""The rule by which a night is called unusual."""

from typing import Any

import numpy as np
import pytest

from reports.unusual_nights import (
    ENOUGH_EARLIER,
    FEW_DEVIATIONS,
    MAX_EARLIER,
    MEASURES,
    MIN_EARLIER,
    Measure,
    allowance,
    class_token_distances,
    compare,
)
from storage.results.profiles import Profile

NAMES = [measure.name for measure in MEASURES]
RELATIVE = Measure("level", "level", 0.05, higher="up", lower="down")
ABSOLUTE = Measure("rate", "rate", 0.02, higher="up", lower="down", absolute=True)


NOTHING: dict[str, Any] = {
    **dict.fromkeys(("run", "lot", "recorded", "listing"), "x"),
    **dict.fromkeys(("image_count", "flagged_count", "score_p99"), 1),
}
"""What no measure looks at."""


def profile(seed: int = 0, **changes: Any) -> Profile:
    """A run like any other: each seed differs a little."""
    rng = np.random.default_rng(seed)
    token = np.array([3.0, 4.0, 0.0]) + 0.02 * rng.standard_normal(3)
    usual = {
        "score_median": 0.2 + 0.002 * rng.standard_normal(),
        "score_p90": 0.3 + 0.002 * rng.standard_normal(),
        "flagged_rate": 0.05,
        "brightness": 0.5 + 0.001 * rng.standard_normal(),
        "sharpness": 0.8 + 0.01 * rng.standard_normal(),
        "mean_class_token": (token / np.linalg.norm(token)).tolist(),
    }
    return Profile(**{**NOTHING, **usual, **changes})


EARLIER = [profile(seed) for seed in range(1, 11)]


def states(tonight: Profile, earlier: list[Profile] = EARLIER) -> dict[str, str]:
    return {one.measure.name: one.state for one in compare(tonight, earlier)}


def test_usual_night_is_usual_in_everything() -> None:
    assert states(profile(99)) == dict.fromkeys(NAMES, "usual")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("score_median", 0.24, "less alike than usual"),
        ("score_median", 0.15, "repeated photographs or blur"),
        ("score_p90", 0.36, "more images than usual stand out"),
        ("flagged_rate", 0.2, "more parts than usual are flagged"),
        ("flagged_rate", 0.0, "make sure that defects are still seen"),
        ("brightness", 0.6, "brighter than usual"),
        ("brightness", 0.4, "darker than usual"),
        ("sharpness", 0.5, "check focus"),
        ("sharpness", 1.2, "sharper or noisier"),
        ("mean_class_token", [0.0, 1.0, 0.0], "another product, view, background or light"),
    ],
)
def test_unusual_measure_is_said_and_no_other(name: str, value: Any, said: str) -> None:
    found = [one for one in compare(profile(99, **{name: value}), EARLIER) if one.state == "unusual"]
    assert [one.measure.name for one in found] == [name.replace("mean_class_token", "class_token_distance")]
    assert said in found[0].warning[0].lower() + found[0].warning[1:]
    assert "10 earlier nights" in found[0].warning
    assert "few to compare with" not in found[0].warning


def test_class_token_nearer_than_usual_is_no_warning() -> None:
    middle = np.mean([run.mean_class_token for run in EARLIER], axis=0).tolist()
    assert states(profile(99, mean_class_token=middle))["class_token_distance"] == "usual"


def test_class_token_amid_runs_that_lie_apart_is_no_warning() -> None:
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    around = [profile(1, mean_class_token=[0.6 * np.cos(at), 0.6 * np.sin(at), 0.8]) for at in angles]
    found = compare(profile(1, mean_class_token=[0.0, 0.0, 1.0]), around)[NAMES.index("class_token_distance")]
    assert found.value < found.median - found.allowance
    assert found.state == "usual"
    assert found.warning == ""


@pytest.mark.parametrize("count", [0, MIN_EARLIER - 1])
def test_one_earlier_night_judges_nothing(count: int) -> None:
    assert set(states(profile(99, brightness=0.9), EARLIER[:count]).values()) == {"unknown"}


@pytest.mark.parametrize("count", range(MIN_EARLIER, ENOUGH_EARLIER))
def test_few_earlier_nights_tell_large_differences_and_how_little_they_are_founded_on(count: int) -> None:
    found = {one.measure.name: one for one in compare(profile(99, brightness=0.9), EARLIER[:count])}
    assert [name for name, one in found.items() if one.state == "unusual"] == ["brightness"]
    assert found["brightness"].warning.endswith(f"{count} nights are few to compare with.")
    assert found["class_token_distance"].state == "unknown"
    assert set(states(profile(99, brightness=0.55), EARLIER[:count]).values()) == {"usual", "unknown"}


@pytest.mark.parametrize(("count", "factor"), FEW_DEVIATIONS.items())
def test_allowance_of_few_nights_is_a_prediction_interval(count: int, factor: float) -> None:
    from scipy.stats import t

    assert factor == pytest.approx(t.ppf(0.99, count - 1) * np.sqrt(1 + 1 / count), abs=0.006)
    earlier = list(np.linspace(1, 2, count))
    assert allowance(RELATIVE, earlier) == pytest.approx(factor * np.std(earlier, ddof=1))
    assert allowance(RELATIVE, [1.0] * count) == pytest.approx(3 * RELATIVE.floor)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [("flagged_rate", 0.0833, "8.3 %"), ("class_token_distance", 7.732e-05, "0.0001"), ("brightness", np.nan, "–")],
)
def test_measures_are_shown_without_exponents(name: str, value: float, shown: str) -> None:
    assert MEASURES[NAMES.index(name)].shown(value) == shown


def test_measure_that_could_not_be_taken_judges_nothing() -> None:
    assert states(profile(99, sharpness=None))["sharpness"] == "unknown"
    lacking = [run.model_copy(update={"sharpness": None}) for run in EARLIER]
    assert states(profile(99), lacking)["sharpness"] == "unknown"


def test_one_bad_night_does_not_widen_what_is_usual() -> None:
    ordinary = list(np.linspace(0.99, 1.01, 9))
    assert allowance(RELATIVE, [*ordinary, 50.0]) == pytest.approx(allowance(RELATIVE, [*ordinary, 1.02]), rel=0.01)


def test_allowance_is_deviations_from_the_median_by_hand() -> None:
    earlier = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]  # median 4.5, deviations 0.5 … 3.5, their median 2
    assert allowance(RELATIVE, earlier) == pytest.approx(3.5 * 1.5 * 1.4826 * 2)


@pytest.mark.parametrize(("measure", "expected"), [(RELATIVE, 0.05 * 40), (ABSOLUTE, 0.02)])
def test_allowance_never_falls_below_the_floor(measure: Measure, expected: float) -> None:
    assert allowance(measure, [40.0] * 8) == pytest.approx(expected)


def test_only_the_latest_runs_count() -> None:
    old = [profile(seed, brightness=0.1) for seed in range(50)]
    recent = [profile(seed) for seed in range(MAX_EARLIER)]
    assert states(profile(99), old + recent)["brightness"] == "usual"
    assert states(profile(99), recent + old)["brightness"] == "unusual"


def test_class_token_distances_by_hand() -> None:
    runs = [profile(mean_class_token=token) for token in ([1.0, 0.0], [0.0, 1.0], [1.0, 0.0])]
    own, others = class_token_distances(profile(mean_class_token=[0.0, 1.0]), runs)
    assert own == pytest.approx(1 - 1 / np.sqrt(5))
    assert others == pytest.approx([1 - 1 / np.sqrt(2), 1.0, 1 - 1 / np.sqrt(2)])


def test_false_alarms_of_the_rule_are_as_documented() -> None:
    """Normal values: docs/report.md states at most 2.5 % at 2 to 6 earlier nights and 0.5 % at 30, each measure."""
    rng = np.random.default_rng(0)
    for count, most in ((2, 0.025), (5, 0.025), (6, 0.025), (30, 0.005)):
        nights = rng.standard_normal((4000, count + 1)) + 100
        alarms = [abs(night[-1] - np.median(night[:-1])) > allowance(NO_FLOOR, night[:-1]) for night in nights]
        assert 0 < np.mean(alarms) <= most


NO_FLOOR = Measure("level", "level", 0.0, higher="up", lower="down")
