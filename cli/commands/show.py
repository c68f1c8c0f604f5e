"""`musc show`: the results of a finished run or benchmark again."""


def run(path: str) -> None:
    """Print a stored ranking or table of metrics."""
    from cli.terminal.tables import show_stored
    from storage.secrets import require_no_secret

    require_no_secret("run", path)
    show_stored(path)
