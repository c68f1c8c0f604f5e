"""Weights from files: never by running code, with a digest, and with one error that says all that does not fit.

Importing this loads no torch; reading a file does.
"""

import hashlib
import os
import pickle
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from musc.backbone_families import LITE0_NAME

if TYPE_CHECKING:
    import torch

WEIGHT_SUFFIXES = frozenset({".safetensors", ".pt", ".pth", ".bin"})
FILE_DIGEST_PREFIX = "sha256:"
NAMES_SHOWN = 4


class WeightsUnavailableError(RuntimeError):
    """Published weights are not on this machine and cannot be fetched; the message names the ways out."""


def is_path(weights: str) -> bool:
    """Whether the user's word means a file rather than a tag of a model library."""
    path = Path(weights)
    return path.is_file() or "/" in weights or os.sep in weights or path.suffix.lower() in WEIGHT_SUFFIXES


def find_file(weights: str) -> Path:
    """The absolute path of a weight file.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    path = Path(weights).expanduser().absolute()
    if not path.is_file():
        raise FileNotFoundError(
            f"weights must be an existing file or a tag, got {weights!r}; "
            "give the path of a .safetensors or .pt file, or leave it out for the published weights"
        )
    return path


def identify(weights: str | None, choose_tag: Callable[[str | None], str], library: str) -> tuple[str, str]:
    """What a specification records of weights: a file's absolute path and digest, or a tag and the library with it.

    Args:
        weights: a tag, a path, or None for the default tag.
        choose_tag: checks a tag, or chooses the default one.
        library: begins the digest of published weights, e.g. `open_clip:`.

    Raises:
        FileNotFoundError: if `weights` is the path of no file.
    """
    if weights is not None and is_path(weights):
        path = find_file(weights)
        return str(path), digest_of_file(path)
    tag = choose_tag(weights)
    return tag, library + tag


def unavailable(subject: str, reason: object, source: str) -> WeightsUnavailableError:
    """The error for published weights that are out of reach.

    Args:
        subject: which weights of which model.
        reason: what went wrong.
        source: which file would do, and where it normally comes from.
    """
    return WeightsUnavailableError(
        f"{subject} must be on this machine or downloadable, got: {reason}; on a connected machine take {source}, "
        f"bring it here and pass `--weights PATH`, or use `--backbone {LITE0_NAME}`, whose weights are installed"
    )


def file_digest(path: Path) -> str:
    """`sha256:` and the hexadecimal digest of a file's bytes, read as a stream."""
    with path.open("rb") as stream:
        return FILE_DIGEST_PREFIX + hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of_file(path: Path) -> str:
    """`file_digest`, read once per process while size and time of the file stay the same."""
    status = path.stat()
    return _digest_as_it_is(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _digest_as_it_is(path: Path, size: int, mtime_ns: int) -> str:
    """A night resolves the same file for every lot; reading gigabytes each time would take longer than small lots."""
    return file_digest(path)


def read_verified(path: Path, digest: str) -> dict[str, "torch.Tensor"]:
    """Read a state dict whose bytes are still those a specification was made for.

    Raises:
        FileNotFoundError: if the file is gone.
        ValueError: if its content is another one, or see `read_state_dict`.
    """
    actual_digest = file_digest(find_file(str(path)))
    if actual_digest != digest:
        raise ValueError(
            f"weights file must still have the content it was resolved with ({digest}), "
            f"got {actual_digest} in {path}; resolve the backbone again"
        )
    return read_state_dict(path)


def read_state_dict(path: Path) -> dict[str, "torch.Tensor"]:
    """Read a state dict on the CPU without running any code the file may carry.

    A dict wrapped as `state_dict` and names that all begin with `module.` are unwrapped.

    Raises:
        ValueError: if the file is damaged, needs code to be run, or holds something other than named tensors.
    """
    import torch

    content = _read_safetensors(path) if path.suffix.lower() == ".safetensors" else _read_torch(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not content or not all(map(torch.is_tensor, content.values())):
        description = (
            f"entries {_shorten(sorted(map(str, content)))}" if isinstance(content, Mapping) else type(content)
        )
        raise ValueError(
            f"weights file must hold tensors by name, got {description} in {path}; "
            "save `model.state_dict()` with safetensors.torch.save_file"
        )
    state = {str(name): tensor for name, tensor in content.items()}
    while all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return state


def _read_safetensors(path: Path) -> dict[str, "torch.Tensor"]:
    import safetensors.torch

    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"weights file must be a complete safetensors file, got {path} ({error}); copy it again"
        ) from error


def _read_torch(path: Path) -> Any:
    import torch

    if _is_torchscript(path):
        raise ValueError(_needs_code(path, "a TorchScript program"))
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if _is_pickled(path):
            raise ValueError(_needs_code(path, "pickled objects")) from error
        guess = "a Git LFS pointer, a web page, or a safetensors file under another name?"
        raise ValueError(_incomplete(path, guess)) from error
    except Exception as error:  # damaged pickles raise many kinds
        raise ValueError(_incomplete(path, str(error) or type(error).__name__)) from error


def _is_pickled(path: Path) -> bool:
    """Whether a file is an archive, or begins with pickle's mark and a protocol, as all that torch.save writes."""
    with path.open("rb") as stream:
        mark, protocol = stream.read(1), stream.read(1)
    return zipfile.is_zipfile(path) or (mark == pickle.PROTO and protocol <= bytes([pickle.HIGHEST_PROTOCOL]))


def _is_torchscript(path: Path) -> bool:
    """Looked up in the archive, as torch.load both warns and fails on such files."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _incomplete(path: Path, reason: str) -> str:
    return f"weights file must be a complete file written by torch.save, got {path} ({reason}); copy it again"


def _needs_code(path: Path, content: str) -> str:
    return (
        f"weights file must be readable without running code, got {content} in {path}; where you trust it, "
        "load it with torch and save `model.state_dict()` with safetensors.torch.save_file"
    )


def load_exactly(
    module: "torch.nn.Module", state: Mapping[str, "torch.Tensor"], subject: str, *, assign: bool = False
) -> None:
    """Copy a state dict into a module, every name and shape of which must match.

    Args:
        module: filled in place.
        state: tensors by name, of any float type.
        subject: what the weights are for, as the user wrote it.
        assign: put the tensors into the module, in float32, where it was made without memory.

    Raises:
        ValueError: with all missing and unexpected names and other shapes at once, and what the file seems to be.
    """
    expected = module.state_dict()
    differences = {
        "missing": sorted(expected.keys() - state.keys()),
        "unexpected": sorted(state.keys() - expected.keys()),
        "of another shape": [
            f"{name} {tuple(state[name].shape)} for {tuple(expected[name].shape)}"
            for name in sorted(expected.keys() & state.keys())
            if state[name].shape != expected[name].shape
        ],
    }
    problems = [f"{len(names)} {kind}: {_shorten(names)}" for kind, names in differences.items() if names]
    if problems:
        raise ValueError(
            f"weights file must fit {subject}, got {describe_state_dict(state)} ({'; '.join(problems)}); "
            "choose the backbone the file was made for, or another file"
        )
    if assign:
        state = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    module.load_state_dict(state, assign=assign)


def _shorten(names: list[str]) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown}, …" if len(names) > NAMES_SHOWN else shown


_FAMILIES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("a Hugging Face transformers CLIP", lambda name: name.startswith("vision_model.") or ".vision_model." in name),
    ("a Hugging Face transformers ViT", lambda name: "embeddings.cls_token" in name),
    ("an open_clip model with a timm image tower", lambda name: name.startswith("visual.trunk.")),
    ("a CLIP ResNet", lambda name: name.startswith(("visual.layer1.", "visual.attnpool."))),
    ("a CLIP ViT", lambda name: name.endswith("transformer.resblocks.0.attn.in_proj_weight") and "text" not in name),
    ("a timm or DINO ViT", lambda name: name.endswith("blocks.0.norm1.weight")),
)


def describe_state_dict(state: Mapping[str, "torch.Tensor"]) -> str:
    """A guess, from the tensors' names and shapes, at what model a state dict belongs to."""
    marked = (description for description, is_mark in _FAMILIES if any(map(is_mark, state)))
    description = next(marked, "an unknown model")
    kernels = [t for name, t in state.items() if name.endswith(("conv1.weight", "patch_embed.proj.weight"))]
    kernel = next((tensor for tensor in kernels if tensor.ndim == 4), None)
    if kernel is None:
        return f"what seems to be {description}"
    return f"what seems to be {description} of width {kernel.shape[0]} and patch {kernel.shape[-1]}"


def require_reachable(repository: str, files: Sequence[str]) -> None:
    """Ask the hub once, unless one of the files is on this machine already.

    Args:
        repository: such as `timm/vit_base_patch16_224.dino`.
        files: names that would do, the preferred one first.

    Raises:
        Exception: whatever the network stack says, if the hub gives no answer.
    """
    import huggingface_hub  # takes half a second to load

    if any(isinstance(huggingface_hub.try_to_load_from_cache(repository, file), str) for file in files):
        return
    try:
        huggingface_hub.get_hf_file_metadata(huggingface_hub.hf_hub_url(repository, files[0]))
    except huggingface_hub.errors.HfHubHTTPError:  # it is there; what it refuses or lacks, the download says
        return
