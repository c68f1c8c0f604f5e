"""Look at one thing: whatever goes wrong, or hangs, is a line of its own and stops no other check."""

import threading
from collections.abc import Callable

from planning.nights.check_lines import CheckLine, fails

PATIENCE_SECONDS = 300.0
"""After which a look counts as hanging, as at a share whose server is gone."""


def look(what: str, check: Callable[[], CheckLine], patience: float | None = PATIENCE_SECONDS) -> CheckLine:
    """The line of a check, or one that says what it raised or that it hangs.

    Args:
        what: names the check where it makes no line.
        patience: seconds; None waits for ever, in this thread.
    """
    lines: list[CheckLine] = []

    def looked() -> None:
        try:
            lines.append(check())
        except Exception as error:  # every error is what the check is for
            lines.append(failure(what, error))

    if patience is None:
        looked()
        return lines[0]
    thread = threading.Thread(target=looked, name=f"check of {what}", daemon=True)
    thread.start()
    thread.join(patience)
    return (
        lines[0] if lines else fails(what, f"no answer within {patience:g} s", "see whether its disk or share is gone")
    )


def failure(what: str, error: Exception) -> CheckLine:
    """An error as a line; what stands behind the last semicolon of the project's own messages is what to do.

    >>> failure("root", ValueError("root must exist, got x; check the path")).advice
    'check the path'
    """
    text = str(error) or type(error).__name__
    said, mark, advice = text.rpartition("; ")
    return fails(what, said, advice) if mark else fails(what, text, "see what the error says")
