"""Which errors are repeated, how often, and after which pauses."""

import errno

import pytest

from storage.errors import IncompleteError, StorageError
from tasks.runtime import retries
from tasks.runtime.retries import RETRIES, is_transient, with_retries


@pytest.mark.parametrize(
    "error", [OSError("i/o"), ConnectionResetError("gone"), TimeoutError("slow"), BlockingIOError("busy")], ids=repr
)
def test_errors_of_disk_and_network_may_pass(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("name", ["EndpointConnectionError", "ConnectionClosedError", "ReadTimeoutError"])
def test_errors_of_an_object_store_may_pass(name: str) -> None:
    exceptions = pytest.importorskip("botocore.exceptions")
    assert is_transient(getattr(exceptions, name)(endpoint_url="http://127.0.0.1:1", error="refused"))


def test_missing_credentials_stay_missing() -> None:
    exceptions = pytest.importorskip("botocore.exceptions")
    assert not is_transient(exceptions.NoCredentialsError())


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EROFS, "Read-only file system"),
        FileNotFoundError("absent"),
        PermissionError("closed"),
        IsADirectoryError("folder"),
        NotADirectoryError("file"),
        StorageError("wrong"),
        IncompleteError("cut"),
        ValueError("setting"),
        MemoryError("small"),
        RuntimeError("fault"),
    ],
    ids=repr,
)
def test_errors_that_stay_are_not_repeated(error: Exception) -> None:
    assert not is_transient(error)


class Flaky:
    """Fails so many times, then gives an answer."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.left, self.error, self.calls = failures, error, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise self.error
        return "done"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collects the seconds that would be slept."""
    slept: list[float] = []
    monkeypatch.setattr(retries.time, "sleep", slept.append)
    return slept


def test_transient_errors_are_repeated_after_growing_pauses(pauses: list[float]) -> None:
    action = Flaky(RETRIES, ConnectionResetError("gone"))
    assert with_retries(action) == "done"
    assert action.calls == RETRIES + 1
    assert all(low <= pause <= 1.5 * low for pause, low in zip(pauses, (1, 2, 4), strict=True))


def test_error_that_goes_on_is_raised_at_last(pauses: list[float]) -> None:
    action = Flaky(RETRIES + 1, TimeoutError("slow"))
    with pytest.raises(TimeoutError, match="slow"):
        with_retries(action)
    assert (action.calls, len(pauses)) == (RETRIES + 1, RETRIES)


def test_error_that_stays_is_raised_at_once(pauses: list[float]) -> None:
    action = Flaky(1, ValueError("setting"))
    with pytest.raises(ValueError, match="setting"):
        with_retries(action)
    assert (action.calls, pauses) == (1, [])
