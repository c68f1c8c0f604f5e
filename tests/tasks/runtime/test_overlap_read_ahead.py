"""Reading ahead keeps spec and errors, and overlaps."""

from collections.abc import Iterator
from threading import Event

import pytest

from tasks.runtime.background_io import read_ahead


def test_read_ahead_keeps_the_items() -> None:
    assert list(read_ahead(iter(range(7)))) == list(range(7))
    assert list(read_ahead([])) == []
    assert list(read_ahead([None, 0])) == [None, 0]


def test_read_ahead_reads_the_next_item_while_one_is_in_use() -> None:
    begun = [Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, event in enumerate(begun):
            event.set()
            yield number

    for number in read_ahead(items()):
        assert all(event.wait(60) for event in begun[: number + 2])


def test_read_ahead_holds_no_more_than_one_item_ahead() -> None:
    produced = []

    def items() -> Iterator[int]:
        for number in range(9):
            produced.append(number)
            yield number

    for number in read_ahead(items()):
        assert len(produced) <= number + 2


def test_read_ahead_raises_in_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    ahead = read_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(OSError, match="gone"):
        next(ahead)


def test_read_ahead_left_early_ends() -> None:
    ahead = iter(read_ahead(range(9)))
    assert next(ahead) == 0
    ahead.close()  # type: ignore[attr-defined]
