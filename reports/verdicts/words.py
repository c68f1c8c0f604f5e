"""Verdicts in words."""

from reports.languages.current import gettext as _
from reports.languages.current import mark

SEVERITY_WORDS = (mark("minor"), mark("major"), mark("critical"))
"""`storage.results.verdicts.SEVERITIES`, for translation."""


def verdict_words(verdict: str, kind: str, severity: str) -> str:
    """A verdict with kind and severity, where it has them, in the language that is spoken.

    >>> verdict_words("defective", "dent", "minor"), verdict_words("good", "", "")
    ('defective, dent, minor', 'good')
    """
    return ", ".join(text for text in (_(verdict), kind, _(severity) if severity else "") if text)
