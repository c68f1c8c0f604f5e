"""What of a value decides results: its own fields, less those that are named as deciding nothing.

Which these are is said where the fields are: `planning.task_specs` and `planning.lot_job`.
"""

from abc import ABC, abstractmethod
from collections.abc import Set
from dataclasses import fields, is_dataclass

from pydantic import BaseModel


class Identified(ABC):
    """A value that says itself what it gives to the keys of values that hold it."""

    @property
    @abstractmethod
    def identity(self) -> object:
        """All that decides its results, as plain JSON values."""


def key_values(value: object, not_in_key: Set[str], prefix: str = "") -> dict[str, object]:
    """The fields of a dataclass or model that decide results, as plain JSON values.

    Args:
        not_in_key: names of fields that decide nothing, `field.inner` for one inside a field.
        prefix: the path of the value in the one whose key is made, `field.`; empty for that one itself.
    """
    names = [name for name, _ in value] if isinstance(value, BaseModel) else [field.name for field in fields(value)]  # type: ignore[arg-type]
    return {
        name: key_value(getattr(value, name), not_in_key, f"{prefix}{name}.")
        for name in names
        if prefix + name not in not_in_key
    }


def key_value(value: object, not_in_key: Set[str], prefix: str) -> object:
    """One field's value as plain JSON."""
    if isinstance(value, Identified):
        return value.identity
    if isinstance(value, tuple):
        return [key_value(item, not_in_key, prefix) for item in value]
    return key_values(value, not_in_key, prefix) if is_dataclass(value) or isinstance(value, BaseModel) else value
