"""Every option is one field of a model; the command line, deployments' forms and the documents follow it."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.main import app as musc_command
from cli.options_from_fields import Given, fields_of, has, takes, with_default
from musc.settings import Decisions, Settings
from musc.settings.pydantic_options import option
from planning.requests import BenchmarkRequest, LotRequest, NightRequest, Request, WatchRequest, request_of
from planning.resources import Resources
from planning.tuning.request import TuneRequest

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = (LotRequest, NightRequest, BenchmarkRequest, WatchRequest, TuneRequest)


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
    assert asked == [{**given, "references_from": "a,b,c"}]
    settings = request_of(LotRequest, asked[0]).settings
    assert (settings.seed, settings.match_radius, settings.quick_gelu) == (0, 0, False)
    assert (settings.references_from, settings.degrees) == (("a", "b", "c"), None)


def test_names_are_separated_by_commas_or_given_again() -> None:
    app, asked = command(BenchmarkRequest, "dataset", "root")
    words = ["visa", "data", "--categories", "candle,pcb1", "--categories", "pcb2"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert request_of(BenchmarkRequest, asked[0]).categories == ("candle", "pcb1", "pcb2")


@pytest.mark.parametrize("kind", REQUESTS)
def test_help_shows_the_common_options_and_help_all_every_one(kind: type[Request]) -> None:
    arguments = [name for name, field, _ in fields_of(kind) if field.is_required() or name == "root"]
    app, _ = command(kind, *arguments)
    short = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"}).output
    whole = CliRunner().invoke(app, ["--help-all"], env={"COLUMNS": "300"}).output
    for name, field, panel in fields_of(kind):
        if name not in arguments:
            shown = rf"--{name.replace('_', '-')}\b"
            assert bool(re.search(shown, short)) == has(field, "common"), name
            assert with_default(field)[:60] in whole, name
            assert whole.index(f"─ {panel} ─") < whole.index(f"--{name.replace('_', '-')} "), name


def test_help_of_score_shows_what_the_readme_advertises() -> None:
    shown = CliRunner().invoke(musc_command, ["score", "--help"], env={"COLUMNS": "100"}).output
    for name in ("--export", "--roi", "--good-from-verdicts", "--ignore-drawn", "--good", "--threshold"):
        assert f"{name} " in shown


def test_option_of_one_value_given_twice_is_refused_by_name() -> None:
    for words in (["--backbone", "texture", "--backbone", "other"], ["--quick-gelu", "--no-quick-gelu"]):
        done = CliRunner().invoke(musc_command, ["score", "x", *words])
        name = words[0].removeprefix("--").replace("-", "_")
        assert (done.exit_code, f"error: {name} must be given once, got it 2 times" in done.output) == (2, True)
    done = CliRunner().invoke(musc_command, ["clean", "absent", "--older-than", "1", "--older-than", "2"])
    assert "older_than must be given once" in done.output


@pytest.mark.parametrize("words", [["1,3"], ["1", "3"], ["3,1"]], ids=" ".join)
def test_list_is_separated_by_commas_or_given_one_by_one(words: list[str]) -> None:
    app, asked = command(LotRequest, "folder")
    given = [text for word in words for text in ("--degrees", word, "--layers", word.replace("3,1", "1,3"))]
    assert CliRunner().invoke(app, ["x", *given, "--maps", "png", "--maps", "tiff"]).exit_code == 0
    request = request_of(LotRequest, asked[0])
    assert (sorted(request.settings.degrees or ()), request.settings.layers) == ([1, 3], (1, 3))
    assert request.maps == ("png", "tiff")


def test_list_takes_a_name_that_holds_a_comma_in_quotes() -> None:
    app, asked = command(BenchmarkRequest, "dataset", "root")
    CliRunner().invoke(app, ["folder", "data", "--categories", '"bolt, small",nut', "--categories", "cap"])
    assert request_of(BenchmarkRequest, asked[0]).categories == ("bolt, small", "nut", "cap")


@pytest.mark.parametrize("text", ["", "1,,3", ","])
def test_list_without_a_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"degrees must be values separated by commas, got"):
        request_of(LotRequest, {"folder": "x", "degrees": text})


@pytest.mark.parametrize("kind", REQUESTS)
def test_no_request_has_an_option_twice(kind: type[Request]) -> None:
    names = [name for name, _, _ in fields_of(kind)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("columns", [80, 100])
def test_help_of_score_fits_a_screen(columns: int) -> None:
    shown = CliRunner().invoke(musc_command, ["score", "--help"], env={"COLUMNS": str(columns)}).output
    assert "--help-all" in shown
    assert max(map(len, shown.splitlines())) <= columns
    assert len(shown.splitlines()) <= 50


def test_every_description_stands_once_in_the_repository() -> None:
    models = (*REQUESTS, Settings, Decisions, Resources)
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
