"""Times as people read them: in the zone of this machine. What is stored is UTC."""

from datetime import UTC, datetime


def local_now() -> datetime:
    """This moment, in the zone of this machine."""
    return datetime.now(UTC).astimezone()


def local_time(recorded: str) -> str:
    """A stored time in the zone of this machine, with the zone's name and its difference from UTC.

    Args:
        recorded: ISO 8601 with its difference from UTC.
    """
    time = datetime.fromisoformat(recorded).astimezone()
    name, offset = f"{time:%Z}", time.isoformat()[-6:]
    if offset == "+00:00":
        return f"{time:%Y-%m-%d %H:%M} UTC"
    return f"{time:%Y-%m-%d %H:%M} {name} (UTC{offset})"
