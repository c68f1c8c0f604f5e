"""Reading weight files: formats, wrappings, digests, and everything that is refused."""

import hashlib
import os
import zipfile
from fractions import Fraction
from pathlib import Path

import pytest
import safetensors.torch
import torch

from musc.backbones import weights
from musc.backbones.weights import (
    FILE_DIGEST_PREFIX,
    describe_state_dict,
    file_digest,
    find_file,
    identify,
    is_path,
    load_exactly,
    read_state_dict,
    read_verified,
)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([0.5, -0.5])}


def assert_same_state(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0)


def test_identified_file_is_read_once_until_it_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def digest(path: Path) -> str:
        read.append(path)
        return file_digest(path)

    monkeypatch.setattr(weights, "file_digest", digest)
    path = tmp_path / "net.pt"
    for content in (b"first", b"other"):
        path.write_bytes(content)
        os.utime(path, ns=(0, len(read)))
        expected = str(path), FILE_DIGEST_PREFIX + hashlib.sha256(content).hexdigest()
        for _ in range(3):
            assert identify(str(path), str, "open_clip:") == expected
    assert read == [path, path]


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin"])
def test_read_state_dict_torch_file(tmp_path: Path, state: dict[str, torch.Tensor], suffix: str) -> None:
    torch.save(state, tmp_path / f"weights{suffix}")
    assert_same_state(read_state_dict(tmp_path / f"weights{suffix}"), state)


def test_read_state_dict_safetensors_file(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    safetensors.torch.save_file(state, tmp_path / "weights.safetensors")
    assert_same_state(read_state_dict(tmp_path / "weights.safetensors"), state)


def test_read_state_dict_checkpoint_of_parallel_model_unwrapped(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    wrapped = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({"epoch": 3, "state_dict": wrapped}, tmp_path / "weights.pt")
    assert_same_state(read_state_dict(tmp_path / "weights.pt"), state)


@pytest.mark.parametrize("archive", [True, False])
def test_read_state_dict_pickled_object_refused(tmp_path: Path, archive: bool) -> None:
    content = {"weight": Fraction(1, 3)}
    torch.save(content, tmp_path / "weights.pt", _use_new_zipfile_serialization=archive)
    message = r"readable without running code, got pickled objects in .*weights\.pt; .*safetensors\.torch\.save_file"
    with pytest.raises(ValueError, match=message):
        read_state_dict(tmp_path / "weights.pt")


def test_read_state_dict_torchscript_refused(tmp_path: Path) -> None:
    """Told by the archive's member, as OpenAI's own downloads are."""
    with zipfile.ZipFile(tmp_path / "weights.pt", "w") as archive:
        archive.writestr("model/constants.pkl", b"")
    with pytest.raises(ValueError, match="without running code, got a TorchScript program in"):
        read_state_dict(tmp_path / "weights.pt")


@pytest.mark.parametrize("kept_bytes", [0, 1, 3, 400])
@pytest.mark.parametrize("archive", [True, False])
def test_read_state_dict_truncated_torch_file_refused(
    tmp_path: Path, state: dict[str, torch.Tensor], kept_bytes: int, archive: bool
) -> None:
    path = tmp_path / "weights.pt"
    torch.save(state, path, _use_new_zipfile_serialization=archive)
    path.write_bytes(path.read_bytes()[:kept_bytes])
    with pytest.raises(ValueError, match=r"complete file written by torch\.save, got .*weights.*copy it again"):
        read_state_dict(path)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol 7")
@pytest.mark.parametrize(
    "content",
    [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 931\n",
        b"<!DOCTYPE html>\n<html>Sign in</html>\n",
        safetensors.torch.save({"weight": torch.zeros(3)}),
        b"\x80\x07" + safetensors.torch.save({"weight": torch.zeros(3)})[2:],
    ],
    ids=["lfs_pointer", "web_page", "safetensors", "safetensors_of_unlucky_length"],
)
def test_read_state_dict_other_content_is_not_called_a_pickle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.bin").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"complete file .*\.bin \(a Git LFS pointer, a web page, or a safetensors file"
    ):
        read_state_dict(tmp_path / "weights.bin")


def test_read_state_dict_truncated_safetensors_refused(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file(state, path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match=r"must be a complete safetensors file, got .*copy it again"):
        read_state_dict(path)


@pytest.mark.parametrize("content", [{"epoch": 3, "teacher": {}}, torch.zeros(2), {}])
def test_read_state_dict_without_named_tensors_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"must hold tensors by name, got .*weights\.pt; save"):
        read_state_dict(tmp_path / "weights.pt")


def test_file_digest_sha256_of_bytes(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(b"lot" * 100_000)
    assert file_digest(tmp_path / "weights.pt") == "sha256:" + hashlib.sha256(b"lot" * 100_000).hexdigest()


def test_read_verified_changed_file_refused(tmp_path: Path, state: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "weights.pt"
    torch.save(state, path)
    digest = file_digest(path)
    torch.save({**state, "bias": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match=rf"must still have the content it was resolved with \({digest}\), got sha256"):
        read_verified(path, digest)


@pytest.mark.parametrize("word", ["folder/weights", "weights.pt", "weights.safetensors", "WEIGHTS.BIN", "./weights"])
def test_is_path_words_for_files(word: str) -> None:
    assert is_path(word)


def test_is_path_existing_file_without_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").touch()
    monkeypatch.chdir(tmp_path)
    assert is_path("weights")


@pytest.mark.parametrize("word", ["openai", "laion2b_s34b_b88k", "lvd142m"])
def test_is_path_tags_are_none(word: str) -> None:
    assert not is_path(word)


def test_find_file_missing_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"weights must be an existing file or a tag, got '.*none\.pt'; give"):
        find_file(str(tmp_path / "none.pt"))


def test_load_exactly_copies_half_precision(state: dict[str, torch.Tensor]) -> None:
    module = torch.nn.Linear(3, 2)
    load_exactly(module, {name: tensor.half() for name, tensor in state.items()}, "a line")
    torch.testing.assert_close(module.weight.detach(), state["weight"])


def test_load_exactly_all_differences_named() -> None:
    module = torch.nn.Linear(3, 2)
    message = (
        r"must fit a line, got what seems to be an unknown model \(1 missing: bias; "
        r"6 unexpected: e0, e1, e2, e3, …; 1 of another shape: weight \(9, 9\) for \(2, 3\)\); choose"
    )
    with pytest.raises(ValueError, match=message):
        load_exactly(module, {"weight": torch.zeros(9, 9), **{f"e{i}": torch.zeros(1) for i in range(6)}}, "a line")


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("vision_model.embeddings.class_embedding", "a Hugging Face transformers CLIP"),
        ("dinov2.embeddings.cls_token", "a Hugging Face transformers ViT"),
        ("visual.trunk.blocks.0.norm1.weight", "an open_clip model with a timm image tower"),
        ("visual.layer1.0.conv1.weight", "a CLIP ResNet"),
        ("visual.transformer.resblocks.0.attn.in_proj_weight", "a CLIP ViT"),
        ("blocks.0.norm1.weight", "a timm or DINO ViT"),
        ("weight", "an unknown model"),
    ],
)
def test_describe_state_dict_families(name: str, family: str) -> None:
    assert describe_state_dict({name: torch.zeros(1)}) == f"what seems to be {family}"


def test_describe_state_dict_width_and_patch() -> None:
    state = {"visual.conv1.weight": torch.zeros(64, 3, 16, 16)}
    assert describe_state_dict(state).endswith("of width 64 and patch 16")
