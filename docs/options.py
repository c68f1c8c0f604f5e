"""Write docs/options.md, the tables of all options, from the models that define them.

python docs/options.py
"""

from pathlib import Path

from cli.options_from_fields import metavar_of, plain_kinds, with_default
from musc.pydantic_options import Options
from planning.requests import BenchmarkRequest, LotRequest, NightRequest, WatchRequest

PLACE = Path(__file__).with_name("options.md")
REQUESTS = {
    "musc score": LotRequest,
    "musc nightly": NightRequest,
    "musc benchmark": BenchmarkRequest,
    "musc watch": WatchRequest,
}
HEAD = """# Options

Made from the fields of `musc/settings.py`, `planning/resources.py` and `planning/requests.py` by
`python docs/options.py`. On the command line `match_radius` is `--match-radius`; in a deployment's parameters it is a
field of `settings`, `decisions` or `resources`.
"""


def tables() -> str:
    """The page's text."""
    parts, shared = [HEAD], {}
    for command, request in REQUESTS.items():
        parts.append(table(f"`{command}`", request))
        shared |= {name: field.annotation for name, field in request.model_fields.items()}
    held = {name: kind for name, kind in shared.items() if isinstance(kind, type) and issubclass(kind, Options)}
    parts += [
        table(f"`{name}`: {(model.__doc__ or '').partition(': ')[2].rstrip('.')}", model)
        for name, model in held.items()
    ]
    return "\n".join(parts)


def table(heading: str, model: type[Options]) -> str:
    """The options of one model; models it holds have tables of their own."""
    lines = [f"## {heading}\n", "| option | value | what it is |", "|---|---|---|"]
    fields = sorted(model.model_fields.items(), key=lambda named: not named[1].is_required())
    for name, field in fields:
        kinds = plain_kinds(field.annotation)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Options):
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        value = str(extra.get("metavar") or ("yes or no" if bool in kinds else metavar_of(kinds)))
        told = with_default(field).replace("|", "\\|").replace("<", "&lt;")
        lines.append(f"| `{name}` | {value.replace('|', ' ')} | {told} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PLACE.write_text(tables(), "utf-8")
