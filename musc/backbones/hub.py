"""The Hugging Face hub: whether it can be reached at all, before a download that would try for a minute."""

from collections.abc import Sequence

from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError


def require_reachable(repository: str, files: Sequence[str]) -> None:
    """Ask the hub once, unless one of the files is on this machine already.

    Args:
        repository: such as `timm/vit_base_patch16_224.dino`.
        files: names that would do, the preferred one first.

    Raises:
        Exception: whatever the network stack says, if the hub gives no answer.
    """
    if any(isinstance(try_to_load_from_cache(repository, file), str) for file in files):
        return
    try:
        get_hf_file_metadata(hf_hub_url(repository, files[0]))
    except HfHubHTTPError:  # it is there; what it refuses or lacks, the download says
        return
