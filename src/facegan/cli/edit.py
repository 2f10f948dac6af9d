"""``facegan edit``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from facegan.cli.console import echo


def edit(
    *,
    model: str,
    source: Path,
    out: Path,
    set_: list[str] | None = None,
    grid: bool = False,
    animate: str | None = None,
    seconds: float = 4.0,
    background: str | None = None,
    paste_back: bool = False,
    face: int = 1,
    badge: bool = False,
    certificate: Path | None = None,
    key: Path | None = None,
    no_marks: bool = False,
    engine: Literal["torch", "openvino", "openvino-bf16", "onnx"] = "torch",
    device: str = "cpu",
    overwrite: bool = False,
) -> None:
    """A photograph with another expression or pose: action units in 0..1, angles in degrees.

    AU01 AU02 AU04 brows; AU05 AU06 AU07 AU45 eyes; AU09 nose; AU10 AU12 AU14 AU15 AU17 AU20 AU23 AU25 AU26
    mouth; pitch yaw roll head.

    Example:
        facegan edit --model runs/model --source me.jpg --set AU12=0.8 yaw=15 --out smile.png

    Args:
        model: model folder, or owner/name on the hub.
        source: photograph of the person.
        out: .png or .jpg; .mp4 with --animate.
        set_: what to set, NAME=VALUE; all else stays as it is.
        grid: draw every action unit and angle moved alone (the paper's experiment 4).
        animate: make a video that moves this one from its least value to its greatest and back.
        seconds: length of that video.
        background: a picture, a video or a color (#rrggbb or a name) behind the head (nothing else stays).
        paste_back: put the face back into the whole photograph.
        face: which face of the photograph, 1 the largest.
        badge: show a visible badge.
        certificate: PEM chain to sign results with, in place of one that is made on this machine.
        key: its private key, PEM.
        no_marks: leave out all marks that tell that a machine made this.
        engine: what runs the networks; openvino and onnx after facegan export.
        device: where torch computes: cpu, cuda, mps.
        overwrite: replace OUT.
    """
    from facegan.inference import Animator, RenderConfig, parse_settings, write_edit
    from facegan.provenance import ProvenanceConfig

    values = parse_settings(set_ or [])
    look, marks = (
        RenderConfig(background, paste_back),
        ProvenanceConfig(not no_marks, badge, certificate, key),
    )
    write_edit(
        Animator.from_pretrained(model, device, engine),
        source,
        out,
        values,
        grid=grid,
        animate=animate,
        seconds=seconds,
        look=look,
        marks=marks,
        face=face,
        overwrite=overwrite,
    )
    echo(f"{'video' if animate else 'picture'}: {out}")
