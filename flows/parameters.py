"""The parameters of a flow, made from the fields of the request it takes, as `cli.options_from_fields` does."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature
from typing import Annotated, Any, TypeVar

from flows.room_logs import show_room_logs
from planning.requests import Request

AnyRequest = TypeVar("AnyRequest", bound=Request)
Result = TypeVar("Result")


def takes(kind: type[AnyRequest]) -> Callable[[Callable[[AnyRequest], Result]], Callable[..., Result]]:
    """Turn a function of a request into one of its fields, by name, with their types, defaults and descriptions.

    Prefect reads them from the signature and the docstring: they are the form of a deployment.
    """

    def decorate(function: Callable[[AnyRequest], Result]) -> Callable[..., Result]:
        @wraps(function)
        def flow(**values: Any) -> Result:
            show_room_logs()
            return function(kind(**values))

        parameters = [parameter_of(name, kind) for name in kind.model_fields]
        flow.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        flow.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        flow.__doc__ = with_arguments(function.__doc__ or "", kind)
        del flow.__wrapped__
        return flow

    return decorate


def parameter_of(name: str, kind: type[Request]) -> Parameter:
    """One field as a parameter that is given by name."""
    field = kind.model_fields[name]
    annotation = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    default = Parameter.empty if field.is_required() else field.default
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def with_arguments(text: str, kind: type[Request]) -> str:
    """A docstring with the descriptions of a request's fields."""
    lines = [
        f"    {name}: {field.description or (getattr(field.annotation, '__doc__', None) or '').strip()}"
        for name, field in kind.model_fields.items()
    ]
    head, mark, returns = text.partition("\n    Returns:")
    return f"{head.rstrip()}\n\n    Args:\n    " + "\n    ".join(lines) + f"\n{mark}{returns}"
