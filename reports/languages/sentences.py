"""Finished English sentences, of records and errors, in the language that is spoken.

`run.json`, the console and the logs are English, and what they say is written as plain sentences where it is found
out. Pages know such a sentence again by the message it was made from: the text around its values, which
docs/languages.py takes from the code, fits from the first to the last sign. A sentence that no message fits stays
English.
"""

import re
from functools import cache

from reports.languages.catalogue import PLACE, catalogue
from reports.languages.current import gettext, language
from reports.languages.numbers import separators
from storage.results.run_files import Language

NUMBER = re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?|[+-]?\d+(\.\d+)?")


def translated(sentence: str) -> str:
    """A sentence in the language that is spoken.

    >>> translated("nothing that anybody wrote")
    'nothing that anybody wrote'
    """
    if language() == "en" or not sentence:
        return sentence
    known = catalogue(language()).texts.get(sentence.replace("%", "%%"))
    if known is not None:
        return known % {}
    for pattern, message in patterns(language()):
        if found := pattern.fullmatch(sentence):
            return gettext(message, **{name: of_value(value) for name, value in found.groupdict().items()})
    return sentence


def of_value(text: str) -> str:
    """A value in a sentence: a number by the language's separators, a part of a sentence as it, others as they are."""
    if NUMBER.fullmatch(text):
        return text.translate(separators(language()))
    return translated(text)


@cache
def patterns(code: Language) -> list[tuple[re.Pattern[str], str]]:
    """What fits the sentences of each message, those that begin with text of their own and have most of it first."""
    sentences = sorted(catalogue(code).sentences, key=lambda one: (bool(PLACE.match(one)), -len(PLACE.sub("", one))))
    return [(pattern_of(message), message) for message in sentences if PLACE.search(message)]


def pattern_of(message: str) -> re.Pattern[str]:
    """What fits a message with any values.

    >>> pattern_of("%(a)s of %(b)s images").fullmatch("3 of 4 images").groupdict()
    {'a': '3', 'b': '4'}
    """
    parts = PLACE.split(message)
    literal = [re.escape(part.replace("%%", "%")) for part in parts[::2]]
    names = [f"(?P<{name}>.*?)" for name in parts[1::2]]
    return re.compile("".join(part for pair in zip(literal, [*names, ""], strict=True) for part in pair), re.DOTALL)
