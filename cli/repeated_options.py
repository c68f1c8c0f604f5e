"""Commands whose options of one value are given once: a second value would replace the first without a word."""

from collections import Counter
from typing import Any

from typer.core import TyperCommand, TyperOption

from cli.process.errors import BAD_INPUT, fail


class OneValueCommand(TyperCommand):
    """A command that refuses an option given twice, unless it takes a list or is counted, as `-v` is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, count in Counter(given).items():
            repeatable = not isinstance(parameter, TyperOption) or parameter.multiple or parameter.count
            if count > 1 and not repeatable:
                fail(f"{parameter.name} must be given once, got it {count} times; keep one of them", BAD_INPUT)
        return super().parse_args(ctx, args)
