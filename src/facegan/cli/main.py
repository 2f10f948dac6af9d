"""Entry point: dispatch to a command and turn errors into one line and an exit code."""

from __future__ import annotations

import atexit
import errno
import gc
import sys
import traceback
from collections.abc import Sequence

from facegan import __version__
from facegan.cli import commands
from facegan.errors import InputError

# Without it the last garbage collection walks all imported modules for half a second.
atexit.register(gc.freeze)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: words after ``facegan``; those of the process by default.

    Returns:
        Exit code: 0 for success, 1 for an internal error, 2 for bad input, 3 if part of the input was bad
        and the rest is done, 130 when interrupted.
    """
    typed = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in typed
    typed = [argument for argument in typed if argument != "--debug"]
    try:
        return _dispatch(typed)
    # A missing module is one of an extra, whose name the message has.
    except (InputError, OSError, ModuleNotFoundError) as error:
        return _report(_describe(error), 2, debug=debug)
    except KeyboardInterrupt:
        return _report("interrupted", 130, debug=debug)
    except Exception as error:
        return _report(
            f"{type(error).__name__}: {_describe(error)} (--debug prints the traceback)", 1, debug=debug
        )


def _dispatch(typed: list[str]) -> int:
    if not typed or typed[0] in ("-h", "--help"):
        sys.stdout.write(_usage())
    elif typed[0] == "--version":
        sys.stdout.write(f"facegan {__version__}\n")
    elif typed[0] in commands.TRAINING:
        # Imported late: PyTorch alone takes seconds.
        from facegan.cli import training

        training.run(typed)
    else:
        return commands.run_command(typed[0], typed[1:])
    return 0


def _usage() -> str:
    lines = [f"  {name:<11} {summary}" for name, summary in commands.summarize_commands().items()]
    head = "usage: facegan COMMAND ...\n\n"
    what = "Animate a portrait by a driving video (FACEGAN, WACV 2021).\n\ncommands:\n"
    foot = "\n\nfacegan COMMAND --help describes its options. --debug prints the traceback of an error.\n"
    return head + what + "\n".join(lines) + foot


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"no space left on the disk for {error.filename or 'the result'}: free some and run again"
    return " ".join(str(error).split())


def _report(message: str, status: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(f"facegan: {message}\n")
    return status
