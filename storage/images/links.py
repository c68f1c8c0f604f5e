"""Symbolic links: which are followed, and which are refused because they lead out of the lot.

A command names a root, and the user lays out what lies in it: the root may be a link, and so may a category in it. What
lies in a lot may come from strangers: a link there is followed only to what lies in the root or in the lot's folder.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

LEADS_OUT = "symbolic link leads out of the folder"


@dataclass(frozen=True)
class Bounds:
    """Where the files of a lot may lie, links followed."""

    root: Path
    """Paths are relative to it."""
    lot: str = ""
    """Name of the lot's own folder in the root, which may be a link to elsewhere; empty if the root is the lot."""

    def holds(self, path: str) -> bool:
        """Whether a path ends in the root or, if it goes through the lot's folder, in there.

        Raises:
            OSError: if the path cannot be followed.
            RuntimeError: if links lead in a circle.
        """
        target = (self.root / path).resolve()
        plain = self.lot != ".." and PurePosixPath(self.lot).name == self.lot  # it may be a stranger's, as in VisA
        through_lot = plain and PurePosixPath(path).parts[:1] == (self.lot,)
        return target.is_relative_to(self._root) or (through_lot and target.is_relative_to(self._lot))

    def way_out(self, path: str) -> str | None:
        """The first part of a path that leads out, which is the link to blame; None if the path is inside.

        Raises:
            OSError: if the path cannot be followed.
            RuntimeError: if links lead in a circle.
        """
        if self.holds(path):
            return None
        parts = PurePosixPath(path).parts
        ways = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        return next(way for way in ways if not self.holds(way))

    @cached_property
    def _root(self) -> Path:
        return self.root.resolve()

    @cached_property
    def _lot(self) -> Path:
        return (self.root / self.lot).resolve()
