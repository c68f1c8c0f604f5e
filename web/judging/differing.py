"""Images about which two people say different things."""

import pandas as pd

from storage.results.verdicts import WITHDRAWN


def differing(verdicts: pd.DataFrame) -> dict[str, dict[str, str]]:
    """What each person said last about the images they differ about, by the image's id and the person's name.

    Args:
        verdicts: every verdict about a run, the earliest first; what was undone or taken back says nothing.
    """
    standing = verdicts[verdicts["undone_by"] == ""].drop_duplicates(["image_id", "name"], keep="last")
    standing = standing[standing["verdict"] != WITHDRAWN]
    of_image = standing.groupby("image_id", sort=False)["verdict"].nunique() if len(standing) else standing["verdict"]
    ids = set(of_image.index[of_image > 1]) if len(standing) else set()
    said: dict[str, dict[str, str]] = {}
    for row in standing[standing["image_id"].isin(ids)].itertuples():
        said.setdefault(str(row.image_id), {})[str(row.name)] = str(row.verdict)
    return said
