"""How options are declared: a model's field holds the description, default and range of one option.

Flows, the command line, deployments' forms, records and documents read them from there. Importing this loads no torch.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import prod
from typing import Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)
from pydantic.config import JsonDict
from pydantic_core import ErrorDetails, PydanticCustomError


class Options(BaseModel):
    """A frozen set of options; a value out of range is refused with one sentence that names the option."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def __init__(self, **values: Any) -> None:
        """Check all values.

        Raises:
            ValueError: naming every option that is unknown or out of range, with the value given.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ValueError("; ".join(describe_problems(type(self), error))) from None

    def changed(self, **values: Any) -> Self:
        """The same options with other values for some, checked again."""
        return type(self)(**{**dict(self), **values})


def texts_in(options: BaseModel) -> Iterator[tuple[str, str]]:
    """Name and value of every text in a model and in those it holds."""
    for name, value in options:
        if isinstance(value, BaseModel):
            yield from texts_in(value)
        yield from ((name, text) for text in (value if isinstance(value, tuple) else [value]) if isinstance(text, str))


def describe_problems(options: type[BaseModel], error: ValidationError) -> list[str]:
    """A sentence for each option that was refused; one for all parts of an option's value."""
    sentences: dict[str, str] = {}
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "value_error":
            sentence = str(problem["ctx"]["error"])
        elif problem["type"] == "missing" and len(problem["loc"]) == 1:
            sentence = f"{name} must be given, got nothing; it has no default"
        elif problem["type"] == "extra_forbidden":
            sentence = f"{name} is none of the {options.__name__}; there are {', '.join(options.model_fields)}"
        else:
            advice = "use one of them" if problem["type"] == "literal_error" else "leave it out for its default"
            sentence = f"{name} must be {rule_of(options, problem)}, got {problem['input']!r}; {advice}"
        sentences.setdefault(name or sentence, sentence)
    return list(sentences.values())


RULES = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "string_type": "a text",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "date_from_datetime_parsing": "a day written as YYYY-MM-DD",
    "date_from_datetime_inexact": "a day written as YYYY-MM-DD",
    "date_parsing": "a day written as YYYY-MM-DD",
    "date_type": "a day written as YYYY-MM-DD",
}
"""In our words, by pydantic's name of a problem, where its own are not plain."""


def rule_of(options: type[BaseModel], problem: ErrorDetails) -> str:
    """What a refused value must be, to follow `must be`."""
    parted = problem["type"] in ("too_long", "tuple_type") or (problem["type"] == "missing" and len(problem["loc"]) > 1)
    if parted:  # one value for several, too few or too many
        extra = options.model_fields[str(problem["loc"][0])].json_schema_extra
        return f"written as {extra['metavar']}" if isinstance(extra, dict) else "of another length"
    rule = problem["msg"].removeprefix("Input should be ")
    return RULES.get(problem["type"], f"{rule[:1].lower()}{rule[1:]}")


def option(
    default: Any, description: str, *, metavar: str = "", common: bool = False, expert: bool = False, **rules: Any
) -> Any:
    """A field of a model of options.

    Args:
        default: its value unless given.
        description: what it is, with units and what the default means, as users read it everywhere; `--help` shows
            the first sentence.
        metavar: how its value is written on the command line.
        common: whether `--help` shows it; `--help-all` shows every option.
        expert: whether it only serves experts, or to compute published numbers again.
        rules: of `pydantic.Field`, such as `ge`.
    """
    extra: JsonDict = {"metavar": metavar, "common": common, "expert": expert}
    return Field(default, description=description, json_schema_extra=extra, **rules)


def read_list(value: Any) -> Any:
    """A list from a text such as `1,3,5`; a value that holds a comma stands in double quotes. Lists as they are.

    >>> read_list('bolt, "nut, small"')
    ('bolt', 'nut, small')
    """
    if not isinstance(value, str):
        return value
    parts = tuple(part.strip() for row in csv.reader([value], skipinitialspace=True) for part in row)
    if not all(parts) or not parts:
        raise PydanticCustomError("empty_value", "values separated by commas")
    return parts


def require_each_once(values: tuple[Any, ...], given: ValidationInfo) -> tuple[Any, ...]:
    """A list without repetitions.

    Raises:
        ValueError: naming the first value that is there twice.
    """
    for value, count in Counter(values).items():
        if count > 1:
            raise ValueError(f"{given.field_name} must name each value once, got {value} {count} times; name it once")
    return values


def read_sizes(value: Any) -> Any:
    """One image size, or several as pairs, smallest first.

    Args:
        value: a text such as `518`, `392x518` (height x width) or `320,512`; a number; (height, width); or a list of
            sizes, each a text or a pair.

    Raises:
        ValueError: for no sizes, the same one twice, or several that do not grow in both directions.

    >>> read_sizes("392x518"), read_sizes("512,320"), read_sizes((320, 512))
    ((392, 518), ((320, 320), (512, 512)), (320, 512))
    """
    if isinstance(value, str):
        value = read_list(value)
    if not isinstance(value, list | tuple) or all(isinstance(part, int) for part in value):
        return value
    sizes = [read_size(part) for part in value]
    if len(sizes) == 1:
        return sizes[0]
    pairs = sorted(((size, size) if isinstance(size, int) else tuple(size) for size in sizes), key=prod)
    for smaller, larger in pairwise(pairs):
        if smaller == larger:
            raise ValueError(f"image_size must name each size once, got {size_text(larger)} twice; name it once")
        if smaller[0] > larger[0] or smaller[1] > larger[1]:
            raise ValueError(
                "image_size must name sizes of which each is as high and as wide as the one before or more, got "
                f"{size_text(smaller)} and {size_text(larger)}; give sizes of the same proportions"
            )
    return tuple(pairs)


def size_text(size: Any) -> str:
    """One image size or several as users write them.

    >>> size_text(320), size_text((392, 518)), size_text(((320, 320), (512, 512)))
    ('320', '392x518', '320,512')
    """
    if isinstance(size, int):
        return str(size)
    if not isinstance(size[0], int):
        return ",".join(map(size_text, size))
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def read_size(value: Any) -> Any:
    """One image size from a text, `518` or `392x518` (height x width); other values as they are."""
    if not isinstance(value, str):
        return value
    sides = value.lower().split("x")
    if len(sides) > 2 or not all(side.strip().isdecimal() for side in sides):
        raise ValueError(
            "image_size must be a side such as 518, height x width such as 392x518, or several as 320,512, in pixels, "
            f"got {value!r}"
        )
    return int(sides[0]) if len(sides) == 1 else tuple(map(int, sides))


def read_share(value: Any) -> Any:
    """A share from a text such as `3%`; other values as they are."""
    text = value.strip() if isinstance(value, str) else ""
    if not text.endswith("%"):
        return value
    try:
        return float(text[:-1]) / 100
    except ValueError:
        return value


Share = BeforeValidator(read_share, json_schema_input_type=float | str)
Numbers = BeforeValidator(read_list, json_schema_input_type=list[float] | str)
CommaList = (BeforeValidator(read_list, json_schema_input_type=list[Any] | str), AfterValidator(require_each_once))
"""Of every list of options: commas separate its values."""
Sizes = BeforeValidator(read_sizes, json_schema_input_type=int | tuple[int, int] | str)
