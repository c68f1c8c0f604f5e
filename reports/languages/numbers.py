"""Numbers and dates as the language that is spoken writes them, by Babel (CLDR); English as Python writes them."""

from datetime import date, datetime
from functools import cache

from reports.languages.current import language
from storage.local_time import local_time
from storage.results.run_files import Language


def number(value: float, form: str = ",") -> str:
    """A number by a format of Python's, with the separators of the language.

    >>> number(1234), number(0.5, ".2f")
    ('1,234', '0.50')
    """
    text = format(value, form)
    return text if language() == "en" else text.translate(separators(language()))


@cache
def separators(code: Language) -> dict[int, str]:
    """What a language writes for the signs of an English number."""
    from babel.numbers import get_decimal_symbol, get_group_symbol, get_minus_sign_symbol

    return str.maketrans({",": get_group_symbol(code), ".": get_decimal_symbol(code), "-": get_minus_sign_symbol(code)})


def day(iso: str) -> str:
    """A date; what is no ISO 8601 date stays as it is.

    >>> day("2026-11-21"), day("unknown")
    ('2026-11-21', 'unknown')
    """
    return iso if language() == "en" else dated(iso, "yMMdd" if language() == "de" else "yMMMd")


def short_day(iso: str) -> str:
    """A date without its year, for the ends of charts.

    >>> short_day("2026-11-21")
    '11-21'
    """
    return iso[5:] if language() == "en" else dated(iso, "MMdd" if language() == "de" else "MMMd")


def dated(iso: str, skeleton: str) -> str:
    """A date by the fields of it that are shown."""
    from babel.dates import format_skeleton

    try:
        return str(format_skeleton(skeleton, date.fromisoformat(iso), locale=language()))
    except ValueError:
        return iso


def moment(time: str) -> str:
    """A recorded UTC time, before the browser shows it in local time.

    >>> moment("2026-11-21T04:05:06.000007+00:00")
    '2026-11-21 04:05 UTC'
    """
    if language() == "en":
        return f"{time[:16].replace('T', ' ')} UTC"
    return f"{clock(datetime.fromisoformat(time))} UTC"


def local_moment(recorded: str) -> str:
    """A recorded time in the zone of this machine, with the zone's name and its difference from UTC."""
    english = local_time(recorded)
    if language() == "en":
        return english
    return f"{clock(datetime.fromisoformat(recorded).astimezone())} {english[17:]}"


def clock(time: datetime) -> str:
    """A date and a time to the minute, without their zone."""
    return f"{day(time.date().isoformat())} {time:%H:%M}"
