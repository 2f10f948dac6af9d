"""``facegan export``."""

from __future__ import annotations

from pathlib import Path

from facegan.cli.console import echo
from facegan.inference.model_export import ExportFormat, export_model


def export(
    *,
    model: Path,
    format_: ExportFormat,
    frames: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Export the networks of a model for OpenVINO or ONNX Runtime and compare them with PyTorch.

    Example:
        facegan export --model runs/model --format openvino

    Args:
        model: Model folder; the networks are written into it.
        format_: Format of the networks.
        frames: Image or video of a face for the comparison; synthetic heads by default.
        overwrite: Replace an earlier export.
    """
    echo(export_model(model, format_, frames=frames, overwrite=overwrite).describe())
