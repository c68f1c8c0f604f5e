"""The options of a command, made from the fields of the request it takes."""

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from inspect import Parameter, Signature, signature
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from musc.pydantic_options import Options

COMMON_PANEL = "Options"
Given = Mapping[str, Any]
"""The options that a user gave, by name; the others keep their default."""

Verbose = Annotated[
    int,
    typer.Option("--verbose", "-v", count=True, help="Show the log, and tracebacks; twice: all.", show_default=False),
]


def show_all(context: typer.Context, wanted: bool) -> None:
    """Print the help of a command with every option, and end."""
    if wanted:
        for parameter in context.command.params:
            parameter.hidden = False  # type: ignore[attr-defined]
        typer.echo(context.get_help())
        raise typer.Exit


HelpAll = Annotated[
    bool,
    typer.Option("--help-all", is_eager=True, callback=show_all, help="Show every option and exit."),
]


def takes(kind: type[Options], *arguments: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a request and of the models in it.

    Args:
        kind: of the request.
        arguments: fields that are given by their place instead of by name.

    Returns:
        A decorator of functions of the options given and further parameters of their own.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        made = sorted(parameters_of(kind, arguments), key=lambda made: made.default is not Parameter.empty)
        own = list(signature(function, eval_str=True).parameters.values())[1:]
        shared = [Parameter("help_all", Parameter.KEYWORD_ONLY, default=False, annotation=HelpAll)]

        @wraps(function)
        def command(**values: Any) -> None:
            values.pop("help_all")
            further = {parameter.name: values.pop(parameter.name) for parameter in own}
            function({name: value for name, value in values.items() if value not in (None, [])}, **further)

        parameters = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in (*made, *own, *shared)]
        command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return command

    return decorate


def parameters_of(kind: type[Options], arguments: tuple[str, ...] = ()) -> Iterator[Parameter]:
    """A command's parameter for each field of a model, and of the models it holds, which have panels of their own."""
    panel = (kind.__doc__ or "").partition(":")[0] if not arguments else COMMON_PANEL
    for name, field in kind.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Options):
            yield from parameters_of(field.annotation)
        else:
            yield parameter_of(name, field, panel, by_place=name in arguments)


def parameter_of(name: str, field: FieldInfo, panel: str, *, by_place: bool) -> Parameter:
    """One parameter; texts are read by the model, so that a wrong one is refused by name and in the same words."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    kinds = plain_kinds(field.annotation)
    if by_place:
        default = Parameter.empty if field.is_required() else field.default
        return Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=default,
            annotation=Annotated[str, typer.Argument(help=field.description, show_default=False)],
        )
    shown = f"--{name.replace('_', '-')}"
    metavar = str(extra.get("metavar") or metavar_of(kinds))
    annotation: Any = str | None
    if bool in kinds:
        off = f"/--no-{name.replace('_', '-')}" if field.default is None else ""
        shown, metavar, annotation = f"{shown}{off}", "", bool | None
    elif any(get_origin(one) is tuple and get_args(one)[0] is str for one in kinds):
        annotation = list[str] | None
    option = typer.Option(
        shown,
        metavar=metavar or None,
        help=with_default(field),
        hidden=not extra.get("common"),
        rich_help_panel=panel,
        show_default=False,
    )
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[annotation, option])


def with_default(field: FieldInfo) -> str:
    """A field's description, and its default where the description does not say it."""
    told = field.description or ""
    unsaid = field.default is None or field.default is False or field.default == ()
    if "efault" in told or unsaid or field.is_required():
        return told
    value = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    return f"{told} Default: {value}."


def plain_kinds(annotation: Any) -> list[Any]:
    """The types a field may have, without None and without what checks them."""
    if get_origin(annotation) is Annotated:
        return plain_kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in plain_kinds(part) if kind is not NoneType]
    return [annotation]


def metavar_of(kinds: list[Any]) -> str:
    """How a value is written: its choices, a number, or a text."""
    if choices := [str(choice) for kind in kinds for choice in get_args(kind) if not isinstance(choice, type)]:
        return "|".join(choices)
    return {int: "N", float: "X"}.get(kinds[0], "TEXT")
