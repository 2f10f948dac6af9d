"""``facegan export``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from facegan.cli.console import echo


def export(
    *,
    model: Path,
    format_: Literal["openvino", "onnx"],
    frames: Path | None = None,
    overwrite: bool = False,
) -> None:
    """A model's networks for OpenVINO or ONNX Runtime, tried against PyTorch.

    Example:
        facegan export --model runs/model --format openvino

    Args:
        model: model folder; the networks are put into it.
        format_: openvino or onnx.
        frames: picture or video of a face to try them on; by default drawn heads.
        overwrite: replace an earlier export.
    """
    from facegan.inference.model_export import export as write

    echo(write(model, format_, frames=frames, overwrite=overwrite).describe())
