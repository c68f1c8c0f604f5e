"""Images about which two people say different things: other verdicts, or other kinds of defects."""

import pandas as pd

from reports.verdicts.words import verdict_words
from storage.results.verdicts import WITHDRAWN


def differing(verdicts: pd.DataFrame) -> dict[str, dict[str, str]]:
    """What each person said last about the images they differ about, in words, by the image's id and the person's name.

    A verdict without a kind does not differ from one with a kind.

    Args:
        verdicts: every verdict about a run, the earliest first; what was undone or taken back says nothing.
    """
    standing = verdicts[verdicts["undone_by"] == ""].drop_duplicates(["image_id", "name"], keep="last")
    standing = standing[standing["verdict"] != WITHDRAWN]
    ids = differing_in(standing, "verdict") | differing_in(standing[standing["kind"] != ""], "kind")
    said: dict[str, dict[str, str]] = {}
    for row in standing[standing["image_id"].isin(ids)].itertuples():
        said.setdefault(str(row.image_id), {})[str(row.name)] = verdict_words(
            str(row.verdict), str(row.kind), str(row.severity)
        )
    return said


def differing_in(standing: pd.DataFrame, column: str) -> set[str]:
    """Ids of the images with more than one value in a column."""
    distinct = standing.drop_duplicates(["image_id", column])["image_id"]
    return set(distinct[distinct.duplicated()])
