"""The date at the beginning of a folder's name, however cameras and scripts write it.

| written | examples |
|---|---|
| eight digits, a time of day behind them or not | `20261121`, `20261121_0930`, `20261121T0930`, `20261121093000` |
| `-`, `_`, `.`, `:` or a space between them | `2026-11-21T0930`, `2026_11_21 night`, `2026.11.21`, `2026-1-5` |
| day, month, year with dots | `21.11.2026`, `5.1.2026` |
| as in China, Japan and Korea | `2026年11月21日`, `2026년 11월 21일` |

A date that the calendar lacks is none, nor is one before 1970 or after 2099: such a number is an order's or a part's.
"""

import re
from datetime import date

EARLIEST, LATEST = 1970, 2099
"""Years in which photographs of a factory are dated; a camera without a clock begins with the first."""

_YEAR, _MONTH, _DAY = r"(?P<year>\d{4})", r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
_TIME = r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\d{3}|\d{6})?)?"
"""Hour and minute, or also second, or also milli- or microsecond."""
FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)(?:{_TIME})?(?!\d)",
        rf"{_YEAR}(?P<sign>[-_.: ]){_MONTH}(?P=sign){_DAY}(?!\d)",
        rf"{_DAY}\.{_MONTH}\.{_YEAR}(?!\d)",
        rf"{_YEAR} ?[年년] ?{_MONTH} ?[月월] ?{_DAY} ?[日일]",
    )
)


def date_of(name: str) -> date | None:
    """The date at the beginning of a folder's name; None if there is none that exists in the calendar.

    >>> date_of("20261121_0930"), date_of("2026_11_21 night"), date_of("order-4711"), date_of("2026-02-30")
    (datetime.date(2026, 11, 21), datetime.date(2026, 11, 21), None, None)
    """
    for form in FORMS:
        match = form.match(name)
        if not match:
            continue
        year, month, day = (int(match[part]) for part in ("year", "month", "day"))
        try:
            return date(year, month, day) if EARLIEST <= year <= LATEST else None
        except ValueError:
            return None
    return None
