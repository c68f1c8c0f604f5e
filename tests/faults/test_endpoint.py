"""Images and store behind S3, from end to end, with an endpoint that is down for a while."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from storage.store import Store
from tests.killing import results


@pytest.fixture
def bucket(s3_bucket: str, lot: Path) -> str:
    """A place of its own with the lot's images."""
    place = f"{s3_bucket}/{uuid4().hex}"
    for image in sorted(lot.rglob("*.png")):
        Store(place).write(f"images/{image.relative_to(lot)}", image.read_bytes())
    return place


class Outage:
    """Takes the endpoint down at the first chunk of the second block, and up again after so many failed task runs."""

    def __init__(self, server: Any, failures: int | None) -> None:
        self.server, self.failures, self.chunks = server, failures, 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from tasks import extract
        from tasks.runtime import prefect_tasks

        write_chunk, is_transient = extract.write_chunk, prefect_tasks.is_transient

        def down(*given: Any) -> None:
            self.chunks += 1
            if self.chunks == 3:
                self.server.stop()
            write_chunk(*given)

        def up(error: object) -> bool:
            if self.failures is not None:
                self.failures -= 1
                if self.failures == 0:
                    self.server.start()
            return is_transient(error)

        monkeypatch.setattr(extract, "write_chunk", down)
        monkeypatch.setattr(prefect_tasks, "is_transient", up)


def finished_blocks(output: str) -> set[str]:
    return {name for name in Store(output).sizes("features") if name.endswith("complete.json")}


def test_short_outage_is_sat_out(
    bucket: str, s3_server: Any, score: Any, undisturbed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = Outage(s3_server, failures=2)
    outage.install(monkeypatch)
    score(f"{bucket}/store", folder=f"{bucket}/images")
    assert outage.failures == 0
    assert results(f"{bucket}/store") == undisturbed


def test_long_outage_ends_the_run_and_keeps_what_is_finished(
    bucket: str, s3_server: Any, score: Any, undisturbed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.extract import extract_block
    from tasks.runtime.prefect_tasks import cached_task

    monkeypatch.setattr(cached_task("extract", extract_block), "retry_delay_seconds", [0.1, 0.1, 0.1])
    with monkeypatch.context() as patch:
        Outage(s3_server, failures=None).install(patch)
        with pytest.raises(Exception, match=r"(?i)connect"):
            score(f"{bucket}/store", folder=f"{bucket}/images")
    s3_server.start()
    before = finished_blocks(f"{bucket}/store")
    assert len(before) == 1
    score(f"{bucket}/store", folder=f"{bucket}/images")
    assert before < finished_blocks(f"{bucket}/store")
    assert results(f"{bucket}/store") == undisturbed
    left = [name for name in Store(f"{bucket}/store").sizes("") if "runs/" in name and ".partial-" in name]
    assert left == []
