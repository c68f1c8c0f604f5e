"""Every option is one field of a model; the command line, deployments' forms and the documents follow it."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.main import app as musc_command
from cli.options_from_fields import Given, takes
from musc.pydantic_options import option
from musc.settings import Decisions, Settings
from planning.requests import BenchmarkRequest, LotRequest, NightRequest, request_of
from planning.resources import Resources

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = (LotRequest, NightRequest, BenchmarkRequest)


class OtherSettings(Settings):
    """Method: a copy with one field more."""

    patience: int = option(3, "Cups of tea until the result is read.", ge=1, metavar="CUPS")


class OtherRequest(LotRequest):
    """A copy that holds it."""

    settings: OtherSettings = OtherSettings()


def command(kind: Any, *arguments: str) -> tuple[typer.Typer, list[Given]]:
    """A command that takes a request, and what it was given."""
    app, asked = typer.Typer(), []

    @app.command()
    @takes(kind, *arguments)
    def run(given: Given) -> None:
        asked.append(given)

    return app, asked


def test_new_option_is_one_field() -> None:
    app, asked = command(OtherRequest, "folder")
    done = CliRunner().invoke(app, ["photographs", "--patience", "5"])
    assert done.exit_code == 0, done.output
    request = request_of(OtherRequest, asked[0])
    assert (request.folder, request.settings.patience) == ("photographs", 5)
    assert request.settings.model_dump()["patience"] == 5, "the record holds it"
    form = OtherSettings.model_json_schema()["properties"]["patience"]
    assert (form["description"], form["default"], form["minimum"]) == ("Cups of tea until the result is read.", 3, 1)
    shown = CliRunner().invoke(app, ["--help-all"], env={"COLUMNS": "200"}).output
    assert re.search(r"--patience +CUPS +Cups of tea until the result is read\. Default: 3\.", shown)
    with pytest.raises(ValueError, match="patience must be greater than or equal to 1, got '0'; leave it out"):
        request_of(OtherRequest, {"folder": "photographs", "patience": "0"})


def test_options_not_given_keep_their_default_and_those_given_their_value() -> None:
    app, asked = command(LotRequest, "folder")
    words = ["photographs", "--seed", "0", "--match-radius", "0", "--no-such-option"]
    assert CliRunner().invoke(app, words).exit_code == 2
    words = ["photographs", "--seed", "0", "--match-radius", "0", "--no-quick-gelu", "--references-from", "a"]
    assert CliRunner().invoke(app, [*words, "--references-from", "b,c"]).exit_code == 0
    given = {"folder": "photographs", "seed": "0", "match_radius": "0", "quick_gelu": False}
    assert asked == [{**given, "references_from": ["a", "b,c"]}]
    settings = request_of(LotRequest, asked[0]).settings
    assert (settings.seed, settings.match_radius, settings.quick_gelu) == (0, 0, False)
    assert (settings.references_from, settings.degrees) == (("a", "b,c"), None)


def test_names_are_separated_by_commas_or_given_again() -> None:
    app, asked = command(BenchmarkRequest, "dataset", "root")
    words = ["visa", "data", "--categories", "candle,pcb1", "--categories", "pcb2"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert request_of(BenchmarkRequest, asked[0]).categories == ("candle", "pcb1", "pcb2")


def test_help_shows_the_common_options_and_help_all_every_one() -> None:
    app, _ = command(LotRequest, "folder")
    short = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"}).output
    whole = CliRunner().invoke(app, ["--help-all"], env={"COLUMNS": "200"}).output
    fields = {**LotRequest.model_fields, **Settings.model_fields, **Decisions.model_fields, **Resources.model_fields}
    named = [f"--{name.replace('_', '-')}" for name in fields if name not in ("folder", *("settings", "decisions"))]
    options = [name for name in named if name != "--resources"]
    assert [name for name in options if not re.search(rf"{name}\b", whole)] == []
    assert len([name for name in options if re.search(rf"{name} ", short)]) == 10


@pytest.mark.parametrize("columns", [80, 100])
def test_help_of_score_fits_a_screen(columns: int) -> None:
    shown = CliRunner().invoke(musc_command, ["score", "--help"], env={"COLUMNS": str(columns)}).output
    assert "--help-all" in shown
    assert max(map(len, shown.splitlines())) <= columns
    assert len(shown.splitlines()) <= 50


@pytest.mark.parametrize("kind", REQUESTS)
def test_requests_share_no_option_by_two_meanings(kind: type[LotRequest]) -> None:
    held = [field.annotation for field in kind.model_fields.values() if hasattr(field.annotation, "model_fields")]
    names = [*kind.model_fields, *(name for model in held if model for name in model.model_fields)]
    assert len(names) == len(set(names))


def test_every_description_stands_once_in_the_repository() -> None:
    models = (LotRequest, NightRequest, BenchmarkRequest, Settings, Decisions, Resources)
    rooms = ("cli", "flows", "tasks", "reports", "planning", "musc")
    sources = {path: path.read_text("utf-8") for room in rooms for path in source(room)}
    one_line = {path: re.sub(r'"\s*\n\s*f?"', "", text) for path, text in sources.items()}
    for model in models:
        for name, field in model.model_fields.items():
            if field.description is None or name == "category":
                continue
            words = field.description[:70]
            found = [str(path) for path, text in one_line.items() for _ in range(text.count(words))]
            assert len(found) <= 1, (name, found)


def source(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def test_documents_hold_every_option_as_it_is() -> None:
    page = (ROOT / "docs" / "options.py").read_text("utf-8")
    made: dict[str, Any] = {"__name__": "options", "__file__": str(ROOT / "docs" / "options.py")}
    exec(compile(page, "options.py", "exec"), made)
    assert made["tables"]() == (ROOT / "docs" / "options.md").read_text("utf-8"), "run python docs/options.py"
