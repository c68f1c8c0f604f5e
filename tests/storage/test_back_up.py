"""docs/back-up.md and docs/many-machines.md say of every folder of a store whether it is copied, and may expire."""

import re
from pathlib import Path

from storage.prune import STAGED

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r'^(?:FOLDER|PRODUCTS|FOLDER, FILE, PICTURE) = "([a-z_]+)"', re.MULTILINE)


def folders_of_a_store() -> set[str]:
    """Every folder directly in a store that the code names."""
    modules = [path for room in ("storage", "web") for path in (ROOT / room).rglob("*.py")]
    return {name for path in modules for name in NAMED.findall(path.read_text("utf-8"))} | set(STAGED)


def said_of(page: str) -> set[str]:
    """Folders in the first column of a page's tables."""
    rows = re.findall(r"^\|([^|]*)\|", (ROOT / "docs" / page).read_text("utf-8"), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([a-z_]+)/`", row)}


def test_back_up_and_expiry_are_said_of_every_folder() -> None:
    folders = folders_of_a_store() | {"benchmarks"}
    assert {"verdicts", "thresholds", "products", "tunings", "runs", "features", "thumbnails"} <= folders
    assert folders - said_of("back-up.md") == set()
    assert folders - said_of("many-machines.md") == set()
