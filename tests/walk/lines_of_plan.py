"""`musc plan`: that it takes the line of `musc score`, and what costs something is another plan."""

from collections.abc import Callable
from typing import Any

from tests.walk.lines_of_lots import APART, RECORDED, REFUSED
from tests.walk.walk import Walk, line, options_of_commands

BESIDE: dict[str, dict[str, Any]] = {"block_images": {"block_images": 8}, "seed": {"references": 3}}
"""What a plan is given beside an option, or instead of its usual value."""


def of_plan(name: str) -> Callable[[Walk], None]:
    """A line of `musc plan`: it takes the option, and what costs something is another plan."""
    costs = {"image_size", "layers", "references", "block_images", "memory"}

    def planned(walk: Walk) -> None:
        if name in REFUSED:
            walk.command("plan", str(walk.place / "lot"), **{name: REFUSED[name][0]}).refused(REFUSED[name][1])
            return
        typed = APART.get(name) or {name: RECORDED[name][0]}
        rows = walk.plan(**{**typed, **BESIDE.get(name, {})})
        assert rows.get("images")
        if name in costs - {"memory"}:
            del rows["time of scoring here"]
            assert rows.items() != {key: text for key, text in walk.plan().items() if key in rows}.items()
        if name == "tile":
            assert "24" in " ".join(rows.values())

    return planned


for _other, _name in options_of_commands():
    if _other == "plan" and _name in {*RECORDED, *APART, *REFUSED}:
        line("plan", _name)(of_plan(_name))


@line(
    "plan",
    "folder",
    "output",
    "lot",
    "category",
    "backbone",
    "engine",
    "maps",
    "export",
    "image_prefix",
    "language",
    "pixel_size",
    "roi",
    "good",
)
def the_line_of_score(walk: Walk) -> None:
    given = {"output": str(walk.place / "planned"), "lot": "night", "category": "cap", "maps": "png"}
    given |= {"export": "labelstudio", "image_prefix": "/data/"}
    rows = walk.plan(roi=str(walk.place / "mask.png"), good=str(walk.place / "good"), **given)
    assert rows["images"].startswith("12")
    assert rows["references of each"] == "20"
    said = walk.command("plan", str(walk.place / "lot")).output.splitlines()
    assert "13 files; backbone texture" in said[0], "what is planned is said before anything is tried"
    assert any("trying how fast this machine is" in told for told in said[:4])
    assert not (walk.place / "planned").exists(), "it computes and stores nothing"


@line("plan", "good_from_verdicts", "ignore_drawn", "references_from")
def plan_with_earlier_lots(walk: Walk) -> None:
    given = {"good_from_verdicts": True, "ignore_drawn": True}
    rows = walk.plan(references_from=f"runs/{walk.score('good').folder.name}", **given)
    assert int(rows["references of each"]) > 11
