"""Rows of a watched folder's table."""

from storage.results.arrivals import Arrival


def scored_row(path: str = "0.png", time: str = "2026-11-21T04:05:06.000007+00:00") -> Arrival:
    """Of a flagged photograph."""
    return {
        "time": time,
        "category": "cap",
        "path": path,
        "sha256": "0" * 64,
        "status": "ok",
        "reason": "",
        "raw_score": 0.5,
        "decision": "flagged",
        "threshold": 0.25,
        "suspect_threshold": 0.125,
        "p_value": 0.001,
        "peak_x": 3,
        "peak_y": 5,
        "width": 64,
        "height": 64,
        "size": 1024,
        "modified_ns": 1_795_000_000_000_000_000,
        "changed_ns": 1_795_000_000_000_000_001,
        "seconds": 0.125,
    }


def unscored_row(path: str = "1.png", time: str = "2026-11-21T04:05:07.000007+00:00") -> Arrival:
    """Of a file that could not be scored, where nothing decides a threshold."""
    row = scored_row(path, time)
    row.update(status="unreadable", reason="the file is empty", raw_score=None, decision="")
    row.update(threshold=None, suspect_threshold=None, p_value=None)
    return row
