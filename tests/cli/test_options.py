"""How the texts of options are read, and that what was given reaches the flow whatever its value."""

import pytest
import typer

from cli.options import given, read_counts, read_image_size, read_interval, read_names


def test_given_keeps_zero_and_false_and_leaves_out_what_was_not_given() -> None:
    arguments = {"seed": 0, "quick_gelu": False, "match_radius": 0, "lot": None, "layers": (0,), "verbose": True}
    assert given(arguments) == {"seed": 0, "quick_gelu": False, "match_radius": 0, "layers": (0,)}


def test_image_size_is_a_side_or_height_and_width() -> None:
    assert read_image_size("518") == 518
    assert read_image_size("392x518") == read_image_size("392X518") == (392, 518)


@pytest.mark.parametrize("text", ["392x518x3", "392x", "big", ""])
def test_image_size_of_other_forms_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="must be a side such as 518, or height x width"):
        read_image_size(text)


@pytest.mark.parametrize("text", ["0.3", "0,0.3,0.5", "low,high"])
def test_interval_of_other_forms_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=r"must be two fractions such as 0,0\.3"):
        read_interval(text)


def test_lists_are_separated_by_commas() -> None:
    assert read_interval("0,0.3") == (0.0, 0.3)
    assert read_counts("5,11") == (5, 11)
    assert read_names("bottle,cable") == ("bottle", "cable")
