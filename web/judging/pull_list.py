"""The parts of a lot that somebody should pull, as a list to print."""

from collections.abc import Hashable

import pandas as pd

from musc.decisions.decision_words import Decision
from storage.results.verdicts import DEFECTIVE, UNSURE, current_verdicts
from web.lot import Lot
from web.lot_page import with_verdicts


def parts_to_pull(lot: Lot, verdicts: pd.DataFrame) -> list[dict[Hashable, object]]:
    """Rows of the images judged defective or unsure, and of those to look at that nobody judged, by their paths.

    Each has its `note` and `judge` too, empty where nobody judged it.

    Args:
        verdicts: every verdict about the lot.
    """
    table = with_verdicts(lot, verdicts)
    open_ones = (table["verdict"] == "") & (table["decision"] != Decision.ACCEPTED)
    rows = table[table["verdict"].isin([DEFECTIVE, UNSURE]) | open_ones].sort_values("path")
    current = current_verdicts(verdicts).set_index("image_id")[["name", "note"]].reindex(rows["image_id"])
    told = {"judge": current["name"].fillna("").to_numpy(), "note": current["note"].fillna("").to_numpy()}
    return rows.assign(**told).to_dict("records")
