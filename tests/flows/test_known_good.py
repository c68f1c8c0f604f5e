"""Known good photographs are references that are not scored, and their own scores give the threshold."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from flows.pipelines.lot import score_folder
from flows.pipelines.reproduction import reproduce
from musc.decisions.choose_threshold import lot_thresholds
from musc.decisions.decision_words import Basis
from musc.lnamd import aggregate
from reports.run_record import read_record
from storage.datasets.synthetic.lot import write_lot
from storage.errors import NoImagesError
from storage.prune import find_prunable
from storage.results.features import FEATURES, LotFeatures
from storage.results.runs import Run
from storage.store import Store
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request

SETTINGS: dict[str, Any] = {"backbone": "texture", "image_size": 96, "layers": (0,), "degrees": (1,)}
GOOD = 12


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `good` of 12 parts, folders `one` and `bad` of one part each, and `good and bad` of 13."""
    root = tmp_path_factory.mktemp("parts")
    pictures = write_lot(root / "all", good_count=GOOD + 1, defective_count=1, size=96)
    for folder, chosen in (
        ("good", pictures[:GOOD]),
        ("one", pictures[GOOD : GOOD + 1]),
        ("bad", pictures[-1:]),
        ("good and bad", [*pictures[:GOOD], pictures[-1]]),
    ):
        (root / folder).mkdir()
        for number, picture in enumerate(chosen):
            (root / folder / f"{number:03}.png").write_bytes(picture.read_bytes())
    return root


def score(drawn: Path, lot: str, **more: Any) -> Run:
    output = drawn / "store"
    request = lot_request(drawn / lot, output, **{**SETTINGS, "good": str(drawn / "good"), **more})
    return Run(Store(str(output)), score_folder(request, InlineRunner()).run)


def tokens_of(run: Run, blocks: tuple[str, ...]) -> np.ndarray:
    """Unit patch vectors of stored blocks, float64 (N, P, C)."""
    features = LotFeatures(run.store, blocks)
    plain = torch.from_numpy(features.patch_tokens(0, 0, len(features)))
    rows = int(plain.shape[1] ** 0.5)
    return aggregate(plain.float(), (rows, rows), 1).double().numpy()


def looped_scores(query: np.ndarray, references: list[np.ndarray]) -> np.ndarray:
    """Patch scores of one image against references, (P,)."""
    nearest = [[min(np.linalg.norm(one - patch, axis=1)) for patch in query] for one in references]
    high = max(1, int(0.3 * len(references)))
    return np.sort(np.array(nearest), axis=0)[:high].mean(axis=0)


def test_known_good_one_image_is_scored_against_them_as_plain_loops_say(drawn: Path) -> None:
    run = score(drawn, "bad")
    keys = read_record(run).keys
    (query,) = tokens_of(run, tuple(keys.features))
    good = list(tokens_of(run, tuple(path for path in keys.good if path.startswith(FEATURES))))
    assert len(good) == GOOD
    np.testing.assert_allclose(run.patch_scores()[0].ravel(), looped_scores(query, good), atol=2e-3)


def test_known_good_scores_give_the_threshold_of_a_lot_of_one(drawn: Path) -> None:
    good, bad = score(drawn, "one"), score(drawn, "bad")
    assert list(good.scores()["decision"]) == ["accepted"]
    assert list(bad.scores()["decision"]) == ["flagged"]
    decision = read_record(bad).decision
    assert (decision.basis, decision.flag_basis) == (Basis.GOOD, Basis.GOOD)
    assert decision.reference_count == GOOD
    together = score(drawn, "good and bad", good=None).scores().set_index("path")["raw_score"]  # all references alike
    own = together[[path for path in together.index if path != together.idxmax()]]
    expected = lot_thresholds(bad.scores()["raw_score"].to_numpy(float), good_scores=own.to_numpy(float))
    assert together.max() == pytest.approx(bad.scores()["raw_score"][0], abs=1e-5)
    assert decision.threshold == pytest.approx(expected.flag_threshold, abs=1e-5)
    assert decision.suspect_threshold == pytest.approx(expected.suspect_threshold, abs=1e-5)
    assert not any("looks anomalous" in said or "look anomalous" in said for said in read_record(bad).warnings)


def test_known_good_copy_in_the_lot_does_not_vouch_for_itself(drawn: Path) -> None:
    run = score(drawn, "good")
    assert sum(len(rows.rows) for rows in read_record(run).earlier_references) == 0
    assert len(run.scores()) == GOOD
    alone = score(drawn, "good", good=None)
    np.testing.assert_allclose(run.patch_scores(), alone.patch_scores(), atol=1e-6)


def test_known_good_content_decides_the_run_and_not_its_names(drawn: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    for number, picture in enumerate(sorted((drawn / "good").iterdir(), reverse=True)):
        (renamed / f"{number}.png").write_bytes(picture.read_bytes())
    before = score(drawn, "bad")
    assert score(drawn, "bad", good=str(renamed)).path == before.path
    next(renamed.iterdir()).unlink()
    assert score(drawn, "bad", good=str(renamed)).path != before.path


def test_known_good_features_are_kept_by_the_run_and_serve_its_reproduction(drawn: Path) -> None:
    run = score(drawn, "bad")
    kept = set(read_record(run).keys.good)
    assert not kept & {prunable.path for prunable in find_prunable(run.store, older_than_days=0)}
    assert reproduce(str(drawn / "store" / run.path), None, None, InlineRunner()).identical


def test_known_good_given_threshold_wins(drawn: Path) -> None:
    run = score(drawn, "bad", threshold=1.9)
    decision = read_record(run).decision
    assert (decision.flag_basis, decision.threshold) == (Basis.GIVEN, 1.9)
    assert decision.basis is Basis.GOOD, "what is suspect, and how often a good part scores as high, they still say"


def test_known_good_folder_that_is_not_there_is_refused(drawn: Path) -> None:
    with pytest.raises(NoImagesError, match=r"good must be an existing folder, got .*gone, which does not"):
        score(drawn, "bad", good=str(drawn / "gone"))


def test_known_good_folder_without_images_is_refused(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(NoImagesError, match="got 0 in "):
        score(drawn, "bad", good=str(tmp_path))
