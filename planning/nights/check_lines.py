"""What a flight check found: a line for each thing that tonight depends on."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    FAILS = "fails"


@dataclass(frozen=True)
class CheckLine:
    """One check."""

    what: str
    """Such as `root`."""
    level: Level
    value: str
    """What was found."""
    advice: str = ""
    """What to do; empty where nothing is to be done."""

    @property
    def text(self) -> str:
        """In one line."""
        return f"{self.what} {self.level}: {self.value}{'; ' if self.advice else ''}{self.advice}"

    def as_row(self) -> dict[str, str]:
        """For a table that people read."""
        return {"check": self.what, "result": self.level, "found": self.value, "what to do": self.advice or "–"}


def ok(what: str, value: str) -> CheckLine:
    """A check that passed."""
    return CheckLine(what, Level.OK, value)


def warning(what: str, value: str, advice: str) -> CheckLine:
    """A check after which the night can do its work, though somebody should look."""
    return CheckLine(what, Level.WARNING, value, advice)


def fails(what: str, value: str, advice: str) -> CheckLine:
    """A check after which the night would fail, or do something else than the nights before."""
    return CheckLine(what, Level.FAILS, value, advice)


@dataclass(frozen=True)
class FlightCheck:
    """All checks of a root and a store."""

    root: str
    lines: tuple[CheckLine, ...]

    def with_level(self, level: Level) -> list[CheckLine]:
        """The checks that came out so."""
        return [line for line in self.lines if line.level == level]

    @property
    def has_passed(self) -> bool:
        """Whether nothing fails; warnings are allowed."""
        return not self.with_level(Level.FAILS)

    @property
    def headline(self) -> str:
        """In one line.

        >>> FlightCheck("lots", (ok("root", "3 lots"), fails("store", "a file", "give another"))).headline
        '1 of 2 checks fails: store'
        """
        failed = [line.what for line in self.with_level(Level.FAILS)]
        if failed:
            verb = "fails" if len(failed) == 1 else "fail"
            return f"{len(failed)} of {len(self.lines)} checks {verb}: {', '.join(failed)}"
        warned = ", ".join(line.what for line in self.with_level(Level.WARNING))
        return f"all {len(self.lines)} checks passed{', with warnings: ' if warned else ''}{warned}"
