"""Write docs/options.md, the tables of all options, from the models that define them.

python docs/options.py
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from cli.options_from_fields import HELD, has, with_default, written_as
from musc.settings.pydantic_options import Options
from planning.requests import BenchmarkRequest, LotRequest, NightRequest, Request, WatchRequest
from planning.tuning.request import TuneRequest

PLACE = Path(__file__).with_name("options.md")
REQUESTS: dict[str, type[Request]] = {
    "score": LotRequest,
    "nightly": NightRequest,
    "benchmark": BenchmarkRequest,
    "watch": WatchRequest,
    "tune": TuneRequest,
}
HEAD = """# Options

Made from the fields of `musc/settings/`, `planning/resources.py`, `planning/requests.py` and
`planning/tuning/request.py` by `python docs/options.py`. A command takes the options whose row names it, `musc plan`
those of `musc score` and `musc check` those of `musc nightly`, so that their lines can be planned and checked as they
are. `musc score --help` shows the usual options in short, `--help-all` every one in full.

On the command line `match_radius` is `--match-radius`; in a deployment's parameters it is a field of `settings`,
`decisions` or `resources`, as the headings say.

An option of several values takes them separated by commas, given one by one, or both: `--degrees 1,3` is
`--degrees 1 --degrees 3`. A name that holds a comma stands in double quotes, inside those of the shell:
`--categories '"bolt, small",nut'`. In a deployment it is a list, or such a text. An option of one value is given once;
a second one is refused.

Options marked *expert* serve experts, or to compute published numbers again.
"""


def tables() -> str:
    """The page's text."""
    parts = [HEAD, table("Of the command itself", dict(REQUESTS))]
    for name in HELD:
        models = {
            command: model
            for command, request in REQUESTS.items()
            if name in request.model_fields and (model := request.model_fields[name].annotation)
        }
        whole = models["score"] if "score" in models else next(iter(models.values()))
        parts.append(table(f"`{name}`: {(whole.__doc__ or '').partition(': ')[2].rstrip('.')}", models))
    return "\n".join(parts)


def table(heading: str, models: dict[str, type[Options]]) -> str:
    """The options of one kind: a row for each, with the commands that take it."""
    lines = [f"## {heading}\n", "| option | value | what it is | taken by |", "|---|---|---|---|"]
    for name, field, commands in rows(models):
        told = with_default(field).replace("|", "\\|").replace("<", "&lt;")
        mark = "*expert*: " if has(field, "expert") else ""
        value = written_as(field).replace("|", " or ")
        lines.append(f"| `{name}` | {value} | {mark}{told} | {', '.join(commands)} |")
    return "\n".join(lines) + "\n"


def rows(models: dict[str, type[Options]]) -> Iterator[tuple[str, FieldInfo, list[str]]]:
    """Every option with the commands in which it means the same; arguments first, then as they stand in the code."""
    found: dict[tuple[str, str], tuple[str, FieldInfo, list[str]]] = {}
    for command, model in models.items():
        for name, field in model.model_fields.items():
            if name not in HELD:
                found.setdefault((name, with_default(field)), (name, field, []))[2].append(command)
    yield from sorted(found.values(), key=lambda row: not row[1].is_required())


if __name__ == "__main__":
    PLACE.write_text(tables(), "utf-8")
