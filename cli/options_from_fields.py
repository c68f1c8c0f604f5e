"""The options of a command, made from the fields of the request it takes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from musc.settings.pydantic_options import Options

COMMON_PANEL = "Options"
EXPERT_PANEL = "For experts, and to compute published numbers again"
HELD = ("settings", "decisions", "resources")
"""The models in a request, in the order of their panels."""
Given = Mapping[str, Any]
"""The options that a user gave, by name; the others keep their default."""

Verbose = Annotated[
    int,
    typer.Option("--verbose", "-v", count=True, help="Show the log, and tracebacks; twice: all.", show_default=False),
]


def help_all(descriptions: Mapping[str, str]) -> Any:
    """The option that prints a command's help with every option, and all that is told of each.

    Args:
        descriptions: of each option, by name.
    """

    def show(context: typer.Context, requested: bool) -> None:
        if requested:
            for parameter in context.command.params:
                parameter.hidden = False  # type: ignore[attr-defined]
                parameter.help = descriptions.get(str(parameter.name), parameter.help)  # type: ignore[attr-defined]
            typer.echo(context.get_help())
            raise typer.Exit

    option = typer.Option("--help-all", is_eager=True, callback=show, help="Show every option in full and exit.")
    return Annotated[bool, option]


def takes(kind: type[Options], *arguments: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a request and of the models in it.

    Args:
        arguments: fields that are given by their place instead of by name.

    Returns:
        A decorator of functions of the options given and further parameters of their own.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        from_fields = [parameter_of(name, field, panel, name in arguments) for name, field, panel in fields_of(kind)]
        from_fields.sort(key=lambda parameter: parameter.default is not Parameter.empty)
        descriptions = {name: with_default(field) for name, field, _ in fields_of(kind)}
        own = list(signature(function, eval_str=True).parameters.values())[1:]
        shared = [Parameter("help_all", Parameter.KEYWORD_ONLY, default=False, annotation=help_all(descriptions))]

        @wraps(function)
        def command(**values: Any) -> None:
            values.pop("help_all")
            further = {parameter.name: values.pop(parameter.name) for parameter in own}
            given = {name: value for name, value in values.items() if value not in (None, [])}
            function({name: as_one_text(value) for name, value in given.items()}, **further)

        parameters = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in (*from_fields, *own, *shared)]
        command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return command

    return decorate


def as_one_text(value: Any) -> Any:
    """What was given several times as one list, as if commas had separated it."""
    return ",".join(value) if isinstance(value, list) else value


def fields_of(kind: type[Options]) -> Iterator[tuple[str, FieldInfo, str]]:
    """Name, field and panel of every option of a request: its own first, then those of the models it holds."""
    models = {COMMON_PANEL: kind}
    for name in HELD:
        held = kind.model_fields[name].annotation if name in kind.model_fields else None
        if isinstance(held, type) and issubclass(held, Options):
            models[(held.__doc__ or "").partition(":")[0]] = held
    for heading, model in models.items():
        for name, field in model.model_fields.items():
            if name not in HELD:
                yield (
                    name,
                    field,
                    COMMON_PANEL if has(field, "common") else EXPERT_PANEL if has(field, "expert") else heading,
                )


def has(field: FieldInfo, mark: str) -> bool:
    """Whether a field is marked as `common` or `expert`; see `musc.settings.pydantic_options.option`."""
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get(mark))


def parameter_of(name: str, field: FieldInfo, panel: str, by_place: bool) -> Parameter:
    """One parameter; texts are read by the model, so that a wrong one is refused by name and in the same words."""
    kinds = plain_kinds(field.annotation)
    if by_place:
        default = Parameter.empty if field.is_required() else field.default
        argument = typer.Argument(help=field.description, show_default=False)
        return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[str, argument])
    shown, metavar = f"--{name.replace('_', '-')}", written_as(field)
    annotation: Any = str | None
    if bool in kinds:
        off = f"/--no-{name.replace('_', '-')}" if field.default is None else ""
        shown, metavar, annotation = f"{shown}{off}", "", bool | None
    elif takes_several(kinds):
        annotation = list[str] | None
    option = typer.Option(
        shown,
        metavar=metavar or None,
        help=in_short(field),
        hidden=not has(field, "common"),
        rich_help_panel=panel,
        show_default=False,
    )
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[annotation, option])


def takes_several(kinds: Sequence[Any]) -> bool:
    """Whether an option may be given several times, as may be values between commas: a list, or a size among others."""
    tuples = [one for one in kinds if get_origin(one) is tuple]
    return len(tuples) == len(kinds) or any(Ellipsis in get_args(one) for one in tuples)


def in_short(field: FieldInfo) -> str:
    """The first sentence of a field's description, and its default if that is a plain value."""
    first = (field.description or "").partition(". ")[0].rstrip(".")
    default = field.default if isinstance(field.default, str) and "efault" not in (field.description or "") else ""
    return f"{first}{f' ({default})' if default else ''}."


def with_default(field: FieldInfo) -> str:
    """A field's description, and its default where the description does not say it."""
    description = field.description or ""
    unsaid = field.default is None or field.default is False or field.default == ()
    if "efault" in description or unsaid or field.is_required():
        return description
    value = ",".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    return f"{description} Default: {value}."


def plain_kinds(annotation: Any) -> list[Any]:
    """The types a field may have, without None and without what checks them."""
    if get_origin(annotation) is Annotated:
        return plain_kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in plain_kinds(part) if kind is not NoneType]
    return [annotation]


def written_as(field: FieldInfo) -> str:
    """How a value is written: as its field says, else its choices, a number, or a text."""
    extra, kinds = field.json_schema_extra, plain_kinds(field.annotation)
    if isinstance(extra, dict) and extra.get("metavar"):
        return str(extra["metavar"])
    if choices := [str(choice) for kind in kinds for choice in get_args(kind) if not isinstance(choice, type)]:
        return "|".join(choices)
    return {int: "N", float: "X", bool: "yes or no"}.get(kinds[0], "TEXT")
