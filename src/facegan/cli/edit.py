"""``facegan edit``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from facegan.cli.console import echo
from facegan.inference import Animator, RenderConfig, write_edit
from facegan.inference.engines import EngineName
from facegan.provenance import ProvenanceConfig


def edit(
    *,
    model: str,
    source: Path,
    out: Path,
    set_: Mapping[str, float] | None = None,
    grid: bool = False,
    animate: str | None = None,
    seconds: float = 4.0,
    face: int = 1,
    engine: EngineName = "torch",
    device: str = "cpu",
    overwrite: bool = False,
    render: RenderConfig,
    provenance: ProvenanceConfig,
) -> None:
    """Edit the expression and pose of a source image: action units in 0..1, angles in degrees.

    AU01 AU02 AU04 brows; AU05 AU06 AU07 AU45 eyes; AU09 nose; AU10 AU12 AU14 AU15 AU17 AU20 AU23 AU25 AU26
    mouth; pitch yaw roll head.

    Example:
        facegan edit --model runs/model --source me.jpg --set AU12=0.8 yaw=15 --out smile.png

    Args:
        model: Model folder, or owner/name on the hub.
        source: Source image.
        out: .png or .jpg; .mp4 with --animate.
        set_: Action units and angles to set; the others stay.
        grid: Draw the action-unit grid (experiment 4 of the paper).
        animate: Write a video in which this action unit or angle goes over its range and back.
        seconds: Length of that video.
        face: Which face of the source image, 1 for the largest.
        engine: What runs the networks; openvino and onnx after facegan export.
        device: PyTorch device: cpu, cuda, mps.
        overwrite: Replace OUT.
        render: What the result shows besides the face.
        provenance: How the result is marked.
    """
    write_edit(
        Animator.from_pretrained(model, device, engine),
        source,
        out,
        set_ or {},
        grid=grid,
        animate=animate,
        seconds=seconds,
        render=render,
        provenance=provenance,
        face=face,
        overwrite=overwrite,
    )
    echo(f"{'video' if animate else 'image'}: {out}")
