"""Bring the catalogues of messages up to date with the code, and name what is not translated.

python docs/languages.py

Messages of Python, of templates and of programs in the browser are found by Babel's own extractors. Sentences that are
written into records and errors, in the modules of `SENTENCES`, are found as the texts and f-strings that they are.
"""

import ast
import io
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = ROOT / "reports" / "languages" / "catalogues"
LANGUAGES = ("de", "zh")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "mark": None,
    "mark_counted": (1, 2),
}
MESSAGES = {
    "web/**/*.py": "python",
    "reports/**/*.py": "python",
    "tasks/report.py": "python",
    "web/templates/*.html": "jinja2.ext:babel_extract",
    "reports/page/templates/*.j2": "jinja2.ext:babel_extract",
    "web/static/*.js": "javascript",
    "reports/page/templates/*.js": "javascript",
}
OPTIONS = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
SENTENCES = (
    "musc/backbones/cautions.py",
    "musc/decisions/choose_threshold.py",
    "musc/decisions/decide_images.py",
    "planning/tuning/take_accepted.py",
    "reports/decisions.py",
    "reports/make_run_record.py",
    "storage/images/drawn_shapes.py",
    "storage/images/links.py",
    "storage/products/accepted_thresholds.py",
    "storage/products/defect_kinds.py",
    "storage/results/verdict_reader.py",
    "storage/results/verdicts.py",
)
"""Modules whose warnings, remarks and errors pages show."""
REFUSALS = (
    "storage/images/decode.py",
    "storage/images/listing.py",
    "web/app.py",
    "web/named.py",
    "web/access/guard.py",
    "web/judging/*.py",
    "web/product/*.py",
)
"""Modules of which pages show what they raise and return."""
LEAST_LETTERS = 12
"""Of a sentence besides its values: a shorter one would fit too much."""


def found_messages() -> Catalog:
    """Every message of the code."""
    catalog = Catalog()
    for pattern, method in MESSAGES.items():
        for path in sorted(ROOT.glob(pattern)):
            place, content = path.relative_to(ROOT).as_posix(), io.BytesIO(path.read_bytes())
            for _, text, comments, _ in extract(method, content, KEYWORDS, options=OPTIONS):  # type: ignore[arg-type]
                catalog.add(text, locations=[(place, 0)], auto_comments=comments)
    for pattern in (*SENTENCES, *REFUSALS):
        for path in sorted(ROOT.glob(pattern)):
            tree = ast.parse(path.read_text("utf-8"))
            answers = (node for node in ast.walk(tree) if isinstance(node, ast.Raise | ast.Return))
            places = [tree] if pattern in SENTENCES else answers
            for text in dict.fromkeys(text for place in places for text in sentences_in(place)):
                catalog.add(text, locations=[(path.relative_to(ROOT).as_posix(), 0)], auto_comments=["sentence"])
    return catalog


def sentences_in(tree: ast.AST) -> Iterator[str]:
    """The sentences that code writes: its texts of several words that are no documentation."""
    of_words = {id(text) for call in ast.walk(tree) if is_call_of(call, KEYWORDS) for text in ast.walk(call)}
    silent = {id(text) for call in ast.walk(tree) if is_call_of(call, SILENT) for text in ast.walk(call)}
    inner = {id(part) for text in ast.walk(tree) if isinstance(text, ast.JoinedStr) for part in ast.walk(text)} - {
        id(text) for text in ast.walk(tree) if isinstance(text, ast.JoinedStr)
    }
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in of_words | silent | inner | documented:
            continue
        message = message_of(node)
        letters = re.sub(r"%\(\w+\)s|[^A-Za-z]", "", message)
        if " " in message.strip() and len(letters) >= LEAST_LETTERS:
            yield message


SILENT = ("warning", "info", "debug", "error", "option", "TypeError", "FastAPI", "compile")
"""Functions whose texts are for logs, commands and developers."""


def is_call_of(node: ast.AST, names: Collection[str]) -> bool:
    """Whether a node calls one of these functions."""
    if not isinstance(node, ast.Call):
        return False
    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return called in names


def message_of(node: ast.AST) -> str:
    """A text or an f-string as a message, its values numbered; empty for what is neither."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("%", "%%")
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts, number = [], 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("%", "%%"))
        else:
            number += 1
            parts.append(f"%(v{number})s")
    return "".join(parts)


def updated(language: str) -> Catalog:
    """A language's catalogue with exactly the messages of the code; new ones are empty."""
    path = CATALOGUES / f"{language}.po"
    known = read_po(io.BytesIO(path.read_bytes()), locale=language) if path.exists() else Catalog(locale=language)
    catalog = Catalog(locale=language)
    for message in found_messages():
        if message.id:
            old = known.get(message.id)
            same_kind = old is not None and old.pluralizable == message.pluralizable
            string = old.string if old is not None and same_kind else None
            catalog.add(message.id, string, message.locations, message.flags, message.auto_comments)
    return catalog


def written(catalog: Catalog) -> bytes:
    """A catalogue as its file: by message, each with the files it is from, without dates that change every time."""
    content: IO[bytes] = io.BytesIO()
    write_po(content, catalog, width=120, sort_output=True, include_lineno=False, omit_header=True)
    content.seek(0)
    return content.read().rstrip(b"\n") + b"\n"


def is_empty(message: Message) -> bool:
    """Whether a form of a message is not translated."""
    strings = message.string if isinstance(message.string, list | tuple) else [message.string]
    return not strings or not all(strings)


def main() -> int:
    """Write all catalogues; 1 if anything is not translated."""
    missing = 0
    for language in LANGUAGES:
        catalog = updated(language)
        (CATALOGUES / f"{language}.po").write_bytes(written(catalog))
        for message in catalog:
            if message.id and is_empty(message):
                missing += 1
                sys.stdout.write(f"{language}: {message.id!r} is not translated\n")
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
