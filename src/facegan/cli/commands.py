"""The commands and where they are defined."""

from __future__ import annotations

import ast
import signal
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from facegan.cli.parser import Command, CommandParser
from facegan.errors import InputError

COMMANDS = (
    *("prepare", "synthesize", "analyze", "bundle", "reenact", "edit", "app", "verify", "export"),
    *("pairs", "evaluate", "assets", "demo"),
)
"""Each is the function of its name in the module :mod:`facegan.cli` of its name."""

TRAINING = {
    "fit": "Train a stage.",
    "validate": "Compute the metrics of a checkpoint on the validation pairs.",
    "test": "Compute the metrics of a checkpoint on the test pairs.",
    "predict": "Run a checkpoint on the test pairs.",
}
"""The commands of :mod:`facegan.cli.training` and what they do."""


def load_command(name: str) -> Command:
    """Import the function of a command.

    Raises:
        InputError: if there is no such command.
    """
    if name not in COMMANDS:
        msg = f"no command {name!r}: choose from {', '.join((*COMMANDS, *TRAINING))}"
        raise InputError(msg)
    command: Command = getattr(import_module(f"facegan.cli.{name}"), name)
    return command


def summarize_commands() -> dict[str, str]:
    """Return the first line of each command's docstring, without importing the commands."""
    summaries = {}
    for name in COMMANDS:
        tree = ast.parse(Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8"))
        (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
        summaries[name] = (ast.get_docstring(function) or "").partition("\n")[0]
    return summaries | TRAINING


def run_command(name: str, arguments: Sequence[str]) -> int:
    """Run a command other than those of training.

    Args:
        name: name of the command.
        arguments: the words that follow it.

    Returns:
        0, or :data:`facegan.cli.console.EXIT_PARTIAL`.

    Raises:
        InputError: if there is no such command, or its arguments are wrong.
    """
    command = load_command(name)
    values = CommandParser(name, command).parse(arguments)
    # Terminated, a command cleans up as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return command(**values) or 0
