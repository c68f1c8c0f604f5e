"""From one image of a view to the next: all of them in order, or those that nobody judged yet."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import pandas as pd

from web.view_query import NONE, Query, chosen


@dataclass(frozen=True)
class Steps:
    """The images of a view in its order; of a view of images not judged, those that were judged meanwhile too."""

    ids: tuple[str, ...]
    judged: frozenset[str]
    """Of these."""
    is_work: bool
    """Whether the view is one of images not judged, through which one steps from open to open image."""

    def previous(self, image_id: str) -> str | None:
        """The image before one; None where there is none."""
        place = self.place(image_id)
        return self.ids[place - 1] if place else None

    def next(self, image_id: str, taken: Collection[str] = ()) -> str | None:
        """The image after one; None where there is none.

        In a view of images not judged it is the next open one, from the start again after the last.

        Args:
            image_id: empty for the first image.
            taken: images to pass over, as somebody else has them open; all are taken up where no other is left.
        """
        place = self.place(image_id)
        after = self.ids if place is None else self.ids[place + 1 :]
        if not self.is_work:
            return after[0] if after else None
        left = [one for one in (*after, *self.ids) if one not in self.judged and one != image_id]
        return next((one for one in left if one not in taken), left[0] if left else None)

    def place(self, image_id: str) -> int | None:
        """Where an image stands, from 0; None for one that is not of the view."""
        return self.ids.index(image_id) if image_id in self.ids else None


def steps_of(table: pd.DataFrame, query: Query) -> Steps:
    """The steps of a view.

    Args:
        table: of a lot, with the current `verdict` of each image, empty where there is none.
    """
    is_work = query.verdict == NONE
    rows = chosen(table, replace(query, verdict="") if is_work else query)
    ids = rows["image_id"].tolist()
    return Steps(tuple(ids), frozenset(rows.loc[rows["verdict"] != "", "image_id"]), is_work)
