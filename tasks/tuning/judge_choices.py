"""The choices of a product's settings, judged by people's verdicts about its lots."""

import numpy as np
import pandas as pd

from musc.decisions.decide_images import decide_images
from musc.tuning.choose import Chosen, choose
from musc.tuning.evidence import Evidence, weigh
from planning.task_results import StoredArtefact
from planning.tuning.choices import PROVEN, Choice, relative_costs, traits
from planning.tuning.tuning_specs import Labelled, TuneSpec
from reports.tuning.comparison_picture import comparison_picture
from reports.verdicts.known_good import chosen_by_score
from storage.artefacts import is_complete, writing
from storage.products.tunings import FILE, PICTURE, SCORES, ChoiceRow, LotRow, Tuning
from storage.results.append_only_files import now
from storage.store import Store
from storage.tables import read_table


def judge_choices(spec: TuneSpec) -> StoredArtefact:
    """Make sure the comparison of a product's choices is stored."""
    store = Store(spec.store)
    if not is_complete(store, spec.path):
        tuning = tuned(spec, [lot_scores(store, spec, lot) for lot in spec.lots])
        with writing(store, spec.path) as staging:
            store.write(f"{staging.path}/{FILE}", tuning.model_dump_json(indent=1).encode())
            store.write(f"{staging.path}/{PICTURE}", comparison_picture(tuning).encode())
    return StoredArtefact(path=spec.path)


def lot_scores(store: Store, spec: TuneSpec, lot: Labelled) -> pd.DataFrame:
    """Scores of a lot's images, a row each by SHA-256, a column for each choice."""
    tables = [
        read_table(store, f"{path}/{SCORES}").drop_duplicates("sha256").set_index("sha256") for path in lot.trials
    ]
    return pd.concat([table.drop(columns="path") for table in tables], axis=1)[[one.text for one in spec.choices]]


def tuned(spec: TuneSpec, tables: list[pd.DataFrame]) -> Tuning:
    """Judge the choices.

    Args:
        tables: of each lot, as `lot_scores` gives them.
    """
    judged, places, bad = [], [], []
    for lot, table in zip(spec.lots, tables, strict=True):
        known = [name for name in (*lot.defective, *lot.good) if name in table.index]
        judged.append(standard(table).loc[known].to_numpy().T)
        defective = np.isin(known, lot.defective)
        ranks = table.iloc[:, 0].rank().loc[known].to_numpy() / (len(table) + 1)
        places.append(ranks[~defective])
        bad.append(defective)
    evidence = weigh(np.concatenate(judged, axis=1), np.concatenate(bad))
    proven = spec.choices.index(PROVEN) if PROVEN in spec.choices else 0
    chosen = choose(evidence, [traits(choice) for choice in spec.choices], proven)
    return Tuning(
        category=spec.category,
        time=now(),
        defective=evidence.defective_count,
        good=evidence.good_count,
        choices=tuple(rows_of(spec.choices, evidence, chosen)),
        chosen=chosen.choice,
        proven=0 < chosen.choice == proven,
        selected=chosen_by_score(np.concatenate(places)),
        lots=tuple(listed_in(spec, lot, table, chosen.choice) for lot, table in zip(spec.lots, tables, strict=True)),
    )


def standard(table: pd.DataFrame) -> pd.DataFrame:
    """Scores that compare from lot to lot: less the lot's median, in median absolute deviations."""
    centred = table - table.median()
    return centred.div(np.maximum(centred.abs().median(), np.finfo(np.float32).tiny))


def rows_of(choices: tuple[Choice, ...], evidence: Evidence, chosen: Chosen) -> list[ChoiceRow]:
    """A row for each choice."""
    costs = relative_costs(choices)
    return [
        ChoiceRow(
            settings=choice.options,
            text=choice.text,
            auroc=evidence.auroc[place],
            low=evidence.interval(place)[0],
            high=evidence.interval(place)[1],
            found=evidence.found[place],
            false=evidence.false[place],
            gain=chosen.gain[place],
            gain_error=chosen.error[place],
            cost=costs[place],
        )
        for place, choice in enumerate(choices)
    ]


def listed_in(spec: TuneSpec, lot: Labelled, table: pd.DataFrame, choice: int) -> LotRow:
    """What would have been listed in a lot with the settings in use, and with a choice."""

    def counts(column: int) -> tuple[int, int, int]:
        scores = table.iloc[:, column].to_numpy(dtype=np.float64)
        listed = table.index[decide_images(scores, spec.decisions).listed]
        return len(listed), int(listed.isin(lot.defective).sum()), int(listed.isin(lot.good).sum())

    return LotRow(run=lot.run, images=len(table), used=counts(0), chosen=counts(choice))
