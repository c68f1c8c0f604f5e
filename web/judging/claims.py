"""Who has which image open, so that two people who share a lot meet different ones: a note that runs out, no lock."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

CLAIM_SECONDS = 120.0
"""After which an image counts as left; pages that are looked at say every 40 seconds that they still are."""
MAX_READERS = 500
"""Claims kept at once; the ones that run out first are dropped."""


@dataclass(frozen=True)
class Claim:
    """Images that one reader has open, or meets next."""

    name: str
    """As it was typed; may be empty."""
    since: float
    """When the first of them was opened, by the clock of the claims."""
    until: float
    image_ids: tuple[str, ...]
    """The one that is open, and the next one."""


class Claims:
    """Claims of all lots; safe for several threads. They are the server's own and end with it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._claims: dict[tuple[str, str], Claim] = {}
        self._lock = Lock()

    def hold(
        self, run: str, reader: str, name: str, choose: Callable[[set[str]], tuple[str, ...]]
    ) -> tuple[tuple[str, ...], list[Claim]]:
        """Give a reader images of a run instead of those held before.

        Args:
            reader: of one browser's tab.
            choose: the images to hold, given those that others hold: the one that is open, and the next one.

        Returns:
            The images, and the claims of others who have the first of them open.
        """
        with self._lock:
            now = self._clock()
            alive = sorted(self._claims.items(), key=lambda item: item[1].until, reverse=True)
            self._claims = {key: claim for key, claim in alive[: MAX_READERS - 1] if claim.until > now}
            others = [claim for key, claim in self._claims.items() if key[0] == run and key[1] != reader]
            image_ids = choose({image_id for claim in others for image_id in claim.image_ids})
            known = self._claims.get((run, reader))
            same = known is not None and known.image_ids[:1] == image_ids[:1]
            since = known.since if known is not None and same else now
            if image_ids:
                self._claims[run, reader] = Claim(name, since, now + CLAIM_SECONDS, image_ids)
            return image_ids, [claim for claim in others if claim.image_ids[:1] == image_ids[:1]]

    def seconds(self, claim: Claim) -> int:
        """For how long a reader has had an image open."""
        return int(self._clock() - claim.since)
