"""Paths written by strangers: only those that name a file inside the root may be opened."""

from pathlib import Path, PurePosixPath, PureWindowsPath


def path_problem(root: Path, text: str) -> str | None:
    """What is wrong with a path read from a dataset's table; None when it may be opened.

    Args:
        root: the dataset's root.
        text: the path as written.

    Returns:
        The rest of a sentence such as "must stay inside the root, got '../x.png'".
    """
    if not text:
        return "is not named"
    # A drive or a leading slash would replace the root when joined to it.
    if PurePosixPath(text).is_absolute() or PureWindowsPath(text).anchor:
        return f"must be relative to the root, got {text!r}"
    if ".." in (*PurePosixPath(text).parts, *PureWindowsPath(text).parts):
        return f"must stay inside the root, got {text!r}"
    try:
        target = (root / text).resolve()
        exists = target.is_file()
    except (OSError, ValueError) as error:
        return f"must be a usable path, got {text!r:.60} ({error})"
    if not target.is_relative_to(root.resolve()):
        return f"must stay inside the root, got {text!r}, a link to {str(target)!r}"
    return None if exists else f"{text!r} is missing"
