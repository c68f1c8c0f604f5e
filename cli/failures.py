"""How a command says what went wrong: one line and an exit code, never a traceback."""

from collections.abc import Callable

import typer

from cli.interruption import stop_on_signals

BAD_INPUT = 2
FAILED = 1


def reporting_errors(action: Callable[[], None]) -> None:
    """Run a command; what a user can mend is said in one line with an exit code, never as a traceback."""
    from storage.errors import StorageError

    stop_on_signals()
    try:
        action()
    except typer.Exit:  # itself a RuntimeError
        raise
    except (ValueError, StorageError, MemoryError, FileNotFoundError) as error:
        fail(str(error), BAD_INPUT)
    except (RuntimeError, OSError) as error:
        fail(str(error), FAILED)


def fail(message: str, code: int) -> None:
    """Say what went wrong and leave with an exit code."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(code)
