"""Check Prefect's settings files before it loads them: its own errors name neither file nor variable."""

import tomllib
from pathlib import Path

FILES = (".env", "prefect.toml", "pyproject.toml")
"""Files of the working directory in which Prefect looks for settings, whomever they belong to."""


def require_readable_settings() -> None:
    """Refuse to load Prefect where it could not be loaded.

    Raises:
        ValueError: naming the variable or the file, and what to do.
    """
    try:
        Path.home()
    except RuntimeError as error:
        raise ValueError(
            "HOME must name a folder for Prefect's settings, got neither that variable nor an account with a home; "
            "set HOME to a folder that can be written, or run without Prefect (--engine inline)"
        ) from error
    for name in FILES:
        require_readable(Path(name).absolute())


def require_readable(path: Path) -> None:
    """Refuse a file that is there but is no UTF-8, or, where its name says so, no TOML.

    Raises:
        ValueError: naming the file.
    """
    if not path.is_file():
        return
    try:
        text = path.read_text("utf-8")
        if path.suffix == ".toml":
            tomllib.loads(text)
    except (OSError, ValueError) as error:
        kind = "TOML" if path.suffix == ".toml" else "text"
        raise ValueError(
            f"{path} must be readable {kind} in UTF-8, as Prefect reads it in every working directory, got {error}; "
            "mend it, work in another folder, or run without Prefect (--engine inline)"
        ) from error
