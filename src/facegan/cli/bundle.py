"""``facegan bundle``."""

from __future__ import annotations

from pathlib import Path

from facegan.cli.console import echo


def bundle(checkpoint: Path, *, out: Path, overwrite: bool = False) -> None:
    """Convert a checkpoint of the joint stage to a model folder.

    Example:
        facegan bundle runs/joint/checkpoints/last.ckpt --out runs/model

    Args:
        checkpoint: Checkpoint of the joint stage.
        out: Folder for weights and configuration.
        overwrite: Replace OUT if it exists.
    """
    from facegan.stages.bundle import bundle as write

    write(checkpoint, out, overwrite=overwrite)
    echo(f"model: {out}")
