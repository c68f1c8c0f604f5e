"""Report a command's errors in one line with an exit code; `-v` adds the traceback of unexpected ones."""

import traceback
from collections.abc import Callable

import typer

from cli.process.signals import stop_on_signals
from cli.terminal.escaping import visible

BAD_INPUT = 2
FAILED = 1
ROOMS = ("cli", "web", "flows", "tasks", "reports", "planning", "storage", "musc")


def reporting_errors(action: Callable[[], None], *, verbose: bool = False) -> None:
    """Run a command; what goes wrong is said in one line with an exit code, with a traceback only where asked for."""
    from storage.errors import StorageError

    stop_on_signals()
    try:
        action()
    except typer.Exit:  # itself a RuntimeError
        raise
    except (StorageError, MemoryError, FileNotFoundError) as error:
        fail(str(error), BAD_INPUT)
    except (RuntimeError, OSError) as error:
        fail(full_disk(error) or str(error), FAILED)
    except Exception as error:
        if isinstance(error, ValueError) and is_ours(error):
            fail(str(error), BAD_INPUT)
        if verbose:
            traceback.print_exc()
        fail(f"{type(error).__name__}: {error}", FAILED)


def is_ours(error: BaseException) -> bool:
    """Whether an error was raised by this project's own code, whose messages are written for users."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return frame is not None and str(frame.tb_frame.f_globals.get("__name__")).split(".")[0] in ROOMS


def full_disk(error: Exception) -> str | None:
    """What to say where a named file found no room on its disk; None for other errors."""
    from storage.disk_space import describe_space, is_full
    from storage.store import Store

    path = getattr(error, "filename", None)
    return f"{error}; {describe_space(Store(str(path)))}" if path and is_full(error) else None


def fail(message: str, code: int) -> None:
    """Say what went wrong and leave with an exit code."""
    typer.echo("error: " + "\n".join(map(visible, message.split("\n"))), err=True)
    raise typer.Exit(code)
