"""How many requests a lot on S3 costs: what is opened is opened once, and a file is fetched by one request."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.pipelines.lot import score_folder
from storage.datasets.synthetic.lot import write_lot
from tasks.runtime.runner import InlineRunner
from tests.flat import lot_request

BEFORE = 1858
"""Requests of the same lot when arrays were opened again for every image, with a HEAD before each GET."""


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Requests sent, by method."""
    session = pytest.importorskip("aiobotocore.httpsession").AIOHTTPSession
    sent, send = Counter[str](), session.send

    async def counted(self: object, request: object) -> object:
        sent[request.method] += 1  # type: ignore[attr-defined]
        return await send(self, request)

    monkeypatch.setattr(session, "send", counted)
    return sent


def test_lot_on_s3_costs_a_quarter_of_the_requests_and_nothing_again(
    s3_bucket: str, requests: Counter[str], tmp_path: Path
) -> None:
    write_lot(tmp_path / "lot", good_count=22, defective_count=2)
    options = {"backbone": "texture", "image_size": 64, "block_images": 8}
    request = lot_request(tmp_path / "lot" / "test", f"{s3_bucket}/requests", **options)
    score_folder(request, InlineRunner())
    first = requests.total()
    score_folder(request, InlineRunner())
    assert first <= BEFORE / 4
    assert requests.total() - first <= 60
