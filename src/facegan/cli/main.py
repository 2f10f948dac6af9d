"""``facegan COMMAND …``: which command it is, and what its errors become."""

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

# At its end Python looks for what could be freed in all that was imported, for half a second.
atexit.register(gc.freeze)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: what was typed after ``facegan``.

    Returns:
        0, or 2 for bad input, or 3 if some of the input was bad and the rest is done, or 1 for the
        program's own failure, or 130 when interrupted.
    """
    typed = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in typed
    typed = [argument for argument in typed if argument != "--debug"]
    try:
        return _dispatch(typed)
    except (InputError, OSError) as error:
        return _report(_describe(error), 2, debug=debug)
    except KeyboardInterrupt:
        return _report("interrupted", 130, debug=debug)
    except Exception as error:
        return _report(f"{type(error).__name__}: {_describe(error)} (--debug shows where)", 1, debug=debug)


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
        return commands.run(typed[0], typed[1:])
    return 0


def _usage() -> str:
    summaries = {name: (command.__doc__ or "").splitlines()[0] for name, command in commands.COMMANDS.items()}
    lines = [f"  {name:<11} {text}" for name, text in (summaries | commands.TRAINING).items()]
    head = "facegan COMMAND …\n\nMoves a photographed face as in a video (FACEGAN, WACV 2021).\n\n"
    foot = "\n\nfacegan COMMAND --help tells more; --debug shows where an error comes from.\n"
    return head + "\n".join(lines) + foot


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"no space left on the disk for {error.filename or 'the result'}: free some and run again"
    return " ".join(str(error).split())


def _report(message: str, status: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(f"facegan: {message}\n")
    return status
