"""`defects_config.json` of MVTec LOCO AD: what each grey value in a mask means for a category."""

import json
from pathlib import Path
from typing import Any

CONFIG_FILE = "defects_config.json"

DefectKinds = dict[int, tuple[float, bool]]
"""Grey value -> saturation threshold, and whether it is a fraction of the defect's area (else pixels)."""


def read_defect_kinds(config: Path) -> tuple[DefectKinds, list[str]]:
    """The grey values a category uses.

    Args:
        config: the file; need not exist.

    Returns:
        The kinds and no problem, or none and the problems, each starting with the file's name.
    """
    if not config.is_file():
        return {}, [f"{config.name} is missing"]
    try:
        entries = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        return {}, [f"{config.name} must be JSON, got {error}"]
    if not isinstance(entries, list) or not entries:
        return {}, [f"{config.name} must hold a list of defects, got {entries!r:.60}"]
    wrong = [f"{config.name} entry {index} {flaw}" for index, entry in enumerate(entries) if (flaw := _flaw(entry))]
    if wrong:
        return {}, wrong
    values = [entry["pixel_value"] for entry in entries]
    if len(set(values)) < len(values):
        return {}, [f"{config.name} must give each defect a pixel_value of its own, got {values}"]
    kinds = [(float(entry["saturation_threshold"]), entry["relative_saturation"]) for entry in entries]
    return dict(zip(values, kinds, strict=True)), []


def _flaw(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return f"must be an object, got {entry!r:.60}"
    value, threshold, relative = (
        entry.get(key) for key in ("pixel_value", "saturation_threshold", "relative_saturation")
    )
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 255:
        return f"must have a pixel_value from 1 to 255, got {value!r}"
    if not isinstance(relative, bool):
        return f"must have a relative_saturation of true or false, got {relative!r}"
    if not isinstance(threshold, int | float) or isinstance(threshold, bool) or not 0 < threshold < float("inf"):
        return f"must have a saturation_threshold above 0, got {threshold!r}"
    if relative and threshold > 1:
        return f"must have a relative saturation_threshold of at most 1, got {threshold!r}"
    return None
