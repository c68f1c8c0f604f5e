"""Kinds of defects as a CSV table: what is printed can be edited and taken back."""

import pytest

from reports.verdicts.kinds_table import kinds_in, table_of
from storage.products.defect_kinds import DefectKind

KINDS = (
    DefectKind("scratch", "1", "#d55e00", 'a line, "bright"'),
    DefectKind("=1+1 Gehäuse 污渍", "", "#0072b2", "@home\nand away"),
    DefectKind("’s"),
)


def test_list_comes_back_as_it_was_printed() -> None:
    assert kinds_in(table_of(KINDS), "kinds.csv") == KINDS
    assert kinds_in(table_of(()), "kinds.csv") == ()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_table_needs_names_alone_and_takes_separators_of_any_spreadsheet(separator: str) -> None:
    text = f"key{separator}name\r\n1{separator}dent\r\n{separator} Geha\u0308use \r\n"
    assert kinds_in(text.encode(), "kinds.csv") == (DefectKind("dent", "1"), DefectKind("Gehäuse"))
    assert kinds_in(b"name\ndent\n", "kinds.csv") == (DefectKind("dent"),)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("naïve".encode("latin-1"), "table must be UTF-8, got kinds.csv in another encoding"),
        (b"", "table must have the column name, and at most name, key, colour, description, got ''"),
        (b"name,size\ndent,7\n", "got 'name, size' in kinds.csv"),
        (
            b"name,key\ndent,1\ngood,2\n",
            r"kind must be called otherwise than a verdict, got 'good'.*\(kinds.csv, line 3\)",
        ),
        (b"name,colour\ndent,red\n", r"colour must be written as #rrggbb, got 'red' for dent.*\(kinds.csv, line 2\)"),
        (b"name\ndent,1\n", "table must have as many cells as columns in each line, got more in kinds.csv, line 2"),
    ],
)
def test_table_that_is_none_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kinds_in(content, "kinds.csv")
