"""One description of a run, whole, wherever it is shown."""

import doctest
import re

import pytest

from planning.lot_job import JudgedGood, KnownGood, LotJob, RegionOfInterest
from reports import description
from reports.description import OF_THE_NETWORK, describe_references, describe_region, describe_run
from reports.readme_txt import readme
from tests.flat import chosen, job_of, record_of


def test_doctests() -> None:
    assert doctest.testmod(description).failed == 0


def test_every_option_is_described_and_none_twice() -> None:
    record = record_of(job_of(settings=chosen(backbone="net", match_radius=2, references=7)))
    found = describe_run(record)
    names = [name for values in found.values() for name in values]
    assert len(names) == len(set(names))
    options = [*type(record.job.settings).model_fields, *type(record.job.decisions).model_fields]
    told_otherwise = {*OF_THE_NETWORK, "references_from"}  # as pixels, layers, further references …
    assert [name for name in options if name not in {*names, *told_otherwise}] == []
    assert {name: found["Settings"][name] for name in ("match_radius", "references", "exclude_groups", "tile")} == {
        "match_radius": "2",
        "references": "7",
        "exclude_groups": "no",
        "tile": "not set",
    }


def test_readme_holds_the_description() -> None:
    record = record_of(job_of(settings=chosen(backbone="net", match_radius=2)), versions={"musc": "1"})
    text = readme(record)
    for heading, values in describe_run(record).items():
        assert f"\n{heading}\n" in text
        assert [name for name in values if f"  {name}" not in text] == []
    for name in ("scores.parquet", "report/report.html", "maps-png", "maps-tiff", "export-csv", "export-coco"):
        assert f"\n  {name} " in text
    rows = re.findall(r"^  (?:export-yolo-segments|causes/causes.parquet|scores.parquet|degrees) +", text, re.MULTILINE)
    assert len(rows) == 4
    assert len(set(map(len, rows))) == 1, "texts begin in one column"


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (None, "all of each photograph"),
        (RegionOfInterest("/masks/cap.png", each=False), "the mask /masks/cap.png"),
        (RegionOfInterest("/masks", each=True), "a mask for each photograph in /masks"),
        (
            RegionOfInterest("", each=False, ignored="ignored/cap/1.json"),
            "without the places drawn in ignored/cap/1.json",
        ),
    ],
)
def test_region_is_told(region: RegionOfInterest | None, said: str) -> None:
    assert said in describe_region(job_of(region=region))


def test_further_references_are_told() -> None:
    job: LotJob = job_of(judged_good=(JudgedGood("runs/a", ("1", "2")),), good=KnownGood("/good"))
    assert describe_references(job) == "2 images judged good in earlier runs; photographs of good parts in /good"
    assert describe_references(job_of()) == "none"
