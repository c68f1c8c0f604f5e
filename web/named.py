"""What an address names: a run, its lot, an image of it, found in the store's listings and never used as a path."""

from dataclasses import dataclass

from fastapi import HTTPException

from web.lot import Lot
from web.nights import StoredRun
from web.store_cache import Library


@dataclass(frozen=True)
class Named:
    """Finds by name; what there is not is answered with 404."""

    library: Library

    def run(self, name: str) -> StoredRun:
        """A finished run.

        Raises:
            HTTPException: 404 if there is none.
        """
        if (run := self.library.run(name)) is None:
            raise HTTPException(404, "There is no finished run of this name in the store.")
        return run

    def lot(self, name: str) -> tuple[StoredRun, Lot]:
        """A finished run and its tables.

        Raises:
            HTTPException: 404 if there is none.
        """
        run = self.run(name)
        return run, self.library.lot(run)

    def image(self, name: str, image_id: str) -> tuple[StoredRun, Lot, int]:
        """As `lot`, and the position of an image in it.

        Raises:
            HTTPException: 404 if there is no such run, or no such image in it.
        """
        run, lot = self.lot(name)
        if image_id not in lot.positions:
            raise HTTPException(404, "There is no scored image of this name in the lot.")
        return run, lot, lot.positions[image_id]
