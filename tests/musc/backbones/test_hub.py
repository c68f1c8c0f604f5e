"""Whether the hub can be reached is asked once, and not at all for files that are here."""

from pathlib import Path

import pytest
from huggingface_hub.errors import HfHubHTTPError

from musc.backbones import weights

FILES = ("model.safetensors", "pytorch_model.bin")


def refusing(error: Exception, asked: list[str]) -> object:
    def ask(url: str) -> None:
        asked.append(url)
        raise error

    return ask


def test_hub_without_an_answer_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", refusing(OSError("no route to host"), asked))
    with pytest.raises(OSError, match="no route to host"):
        weights.require_reachable("owner/name", FILES)
    (url,) = asked
    assert url.endswith("/owner/name/resolve/main/model.safetensors")


def test_hub_that_answers_is_reachable_whatever_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answer = HfHubHTTPError.__new__(HfHubHTTPError)  # as of a file that is not in the repository
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", refusing(answer, asked))
    weights.require_reachable("owner/name", FILES)
    assert len(asked) == 1


@pytest.mark.parametrize("file", FILES)
def test_hub_is_not_asked_for_what_is_here(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    repository = tmp_path / "models--owner--name"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots" / "abc").mkdir(parents=True)
    (repository / "snapshots" / "abc" / file).write_bytes(b"weights")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", refusing(OSError("asked"), asked))
    weights.require_reachable("owner/name", FILES)
    assert not asked
