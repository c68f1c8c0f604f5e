"""Lots: the images of one product that are scored together, as they were listed, and the listing kept in a store."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from storage.artefacts import digest, is_complete, writing
from storage.errors import ImageChangedError
from storage.store import Store
from storage.tables import first_rows, write_table

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "lots"
TABLE = "images.parquet"
USABLE = "ok"
"""Status of a file that is scored."""
DENIED = "access was denied or failed"
"""Begins the reason of a file that is there but could not be read."""
SAME_BYTES = "same bytes as"
"""Begins the reason of a duplicate, before the path of the earlier file."""
REASONS_SHOWN = 3
"""Of each status, in one message."""


@dataclass(frozen=True)
class ListedImage:
    """One file of a lot's folder; a row of `images.parquet`."""

    image_id: str
    """The first 16 digits of the content's SHA-256; repeated content is numbered `-2`, `-3` …"""
    path: str
    """Relative to the folder, `/` separated."""
    sha256: str
    width: int
    """Pixels, upright; 0 if unknown."""
    height: int
    status: str
    reason: str
    """Why it is not scored, or a remark; empty if there is nothing to say."""


COLUMNS = tuple(field.name for field in fields(ListedImage))


def describe_left_out(images: Sequence[ListedImage]) -> str:
    """How many files are not scored, by status and reason, the most frequent first; empty if there are none.

    >>> describe_left_out([ListedImage("0" * 16, "a.png", "", 0, 0, "unreadable", "the file is empty")] * 2)
    '2 unreadable (the file is empty)'
    """
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for image in images:
        if image.status != USABLE:
            reasons[image.status][_general(image)] += 1
    by_count = sorted(reasons.items(), key=lambda item: -item[1].total())
    return ", ".join(f"{counts.total()} {status} ({'; '.join(_format_counts(counts))})" for status, counts in by_count)


def left_out_rows(listing: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of a listing whose files are not scored."""
    return listing[listing["status"] != USABLE].reset_index(drop=True)


def format_left_out(counts: Mapping[str, int]) -> str:
    """How many files are not scored, by status; empty if all are.

    >>> format_left_out({"ok": 20, "duplicate": 2, "unreadable": 1})
    '2 duplicate, 1 unreadable'
    """
    return ", ".join(f"{count} {status}" for status, count in counts.items() if status != USABLE)


def _general(image: ListedImage) -> str:
    """A file's reason as other files of its kind share it."""
    return f"{SAME_BYTES} an earlier file" if image.reason.startswith(SAME_BYTES) else image.reason


def _format_counts(reasons: Counter[str]) -> Iterator[str]:
    """The most frequent reasons, with their counts where there are several."""
    if len(reasons) == 1:
        yield from reasons
        return
    shown = reasons.most_common(REASONS_SHOWN)
    yield from (f"{count} × {reason}" for reason, count in shown)
    remaining = reasons.total() - sum(count for _, count in shown)
    if remaining:
        yield f"{remaining} for other reasons"


def is_unopened(image: ListedImage) -> bool:
    """Whether a file was denied to us, so that another time it may be an image all the same."""
    return image.status == "unreadable" and image.reason.startswith(DENIED)


def read_image(folder: Store, image: ListedImage) -> bytes:
    """The bytes of a listed image.

    Raises:
        ImageChangedError: if the file is gone or its content is no longer what was listed.
    """
    try:
        content = folder.read(image.path)
    except FileNotFoundError as error:
        raise ImageChangedError(_describe_change(image, "it is gone")) from error
    if hashlib.sha256(content).hexdigest() != image.sha256:
        raise ImageChangedError(_describe_change(image, "its content is another"))
    return content


def store_lot(store: Store, images: Sequence[ListedImage]) -> str:
    """Keep a lot's listing and return its key; the same listing gives the same key."""
    rows = [asdict(image) for image in images]
    key = digest({"stage": "lot", "images": rows})
    if not is_complete(store, lot_path(key)):
        import pandas as pd

        with writing(store, lot_path(key)) as staging:
            write_table(store, f"{staging.path}/{TABLE}", pd.DataFrame(rows))
    return key


def load_lot(store: Store, key: str) -> list[ListedImage]:
    """The listing kept by `store_lot`.

    Raises:
        FileNotFoundError: if the store holds no such lot.
    """
    _, rows = first_rows(store, f"{lot_path(key)}/{TABLE}", COLUMNS)
    return [ListedImage(*row) for row in rows]


def listed_images(table: "pd.DataFrame") -> list[ListedImage]:
    """The rows of a listing that was read back; columns are found by their names, and others are left alone."""
    return [ListedImage(*row) for row in table[list(COLUMNS)].itertuples(index=False)]


def load_usable(store: Store, key: str) -> list[ListedImage]:
    """The images of a kept listing that are to be scored, in order."""
    return usable_images(load_lot(store, key))


def usable_images(images: Sequence[ListedImage]) -> list[ListedImage]:
    """The images that are scored, in order."""
    return [image for image in images if image.status == USABLE]


def lot_path(key: str) -> str:
    """Where the listing with this key lies in any store."""
    return f"{FOLDER}/{key}"


def _describe_change(image: ListedImage, change: str) -> str:
    return f"{image.path} must stay as it was when the lot was listed, but {change}; run the same command again"
