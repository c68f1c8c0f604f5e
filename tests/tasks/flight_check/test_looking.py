"""Whatever a check does, it is one line, and the others are made."""

import threading

from planning.nights.check_lines import FlightCheck, Level, fails, ok, warning
from tasks.flight_check.looking import look


def test_error_of_a_check_is_its_line_with_what_to_do() -> None:
    def broken() -> None:
        raise ValueError("store must be a folder, got a file; give another --output")

    line = look("store", broken)  # type: ignore[arg-type]
    assert (line.what, line.level) == ("store", Level.FAILS)
    assert (line.value, line.advice) == ("store must be a folder, got a file", "give another --output")


def test_check_that_hangs_is_a_line_after_a_while() -> None:
    for_ever = threading.Event()
    line = look("root", lambda: ok("root", str(for_ever.wait())), patience=0.05)
    for_ever.set()
    assert line.level == Level.FAILS
    assert "no answer within 0.05 s" in line.value


def test_check_passes_with_warnings_and_not_with_failures() -> None:
    warned = FlightCheck("lots", (ok("root", "there"), warning("disk", "little", "clean")))
    assert warned.has_passed
    assert warned.headline == "all 2 checks passed, with warnings: disk"
    assert not FlightCheck("lots", (*warned.lines, fails("store", "gone", "mount it"))).has_passed
