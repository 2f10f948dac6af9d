"""``facegan reenact``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from facegan.cli.console import EXIT_PARTIAL, echo
from facegan.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facegan.inference import Outcome


def reenact(
    *,
    model: str,
    source: list[Path],
    driving: list[Path],
    out: Path,
    relative: bool = False,
    reference: Literal["first", "neutral"] = "first",
    only: Literal["expression", "pose"] | None = None,
    strength: list[str] | None = None,
    smooth: bool = False,
    background: str | None = None,
    paste_back: bool = False,
    side_by_side: bool = False,
    face: int = 1,
    driving_face: int = 1,
    badge: bool = False,
    certificate: Path | None = None,
    key: Path | None = None,
    no_marks: bool = False,
    engine: Literal["torch", "openvino", "openvino-bf16", "onnx"] = "torch",
    device: str = "cpu",
    overwrite: bool = False,
) -> int:
    """Photographs moved as in a video, or as in another photograph.

    With several sources or drivers every source is moved by every driver, into the folder OUT; so is one
    source by one driver if OUT is a folder that exists.

    Example:
        facegan reenact --model runs/model --source me.jpg --driving clip.mp4 --out moved.mp4

    Args:
        model: model folder, or owner/name on the hub.
        source: photographs of people to move.
        driving: videos or photographs of the motion.
        out: .mp4 for a video, .png or .jpg for a photograph; a folder for several results.
        relative: add the driver's change to the photograph's own pose and expression.
        reference: with --relative, from which of its faces the driver's change counts.
        only: take over the expression or the pose alone.
        strength: factors of action units and angles, for example AU12=1.5 yaw=0.5.
        smooth: calm the driver's motion; says by how much that delays it.
        background: a picture, a video or a color (#rrggbb or a name) behind the head (nothing else stays).
        paste_back: put the moved face back into the whole photograph.
        side_by_side: show source, driver and landmarks beside the result.
        face: which face of the source, 1 the largest.
        driving_face: which face of the driver.
        badge: show a visible badge.
        certificate: PEM chain to sign results with, in place of one that is made on this machine.
        key: its private key, PEM.
        no_marks: leave out all marks that tell that a machine made this.
        engine: what runs the networks; openvino and onnx after facegan export.
        device: where torch computes: cpu, cuda, mps.
        overwrite: replace OUT.
    """
    from facegan.inference import Animator, MotionTransferConfig, RenderConfig, parse_settings, reenact_all
    from facegan.inference import reenact as write
    from facegan.provenance import ProvenanceConfig

    options: dict[str, Any] = {
        "control": MotionTransferConfig(relative, reference, only, parse_settings(strength or []), smooth),
        "look": RenderConfig(background, paste_back, side_by_side),
        "marks": ProvenanceConfig(not no_marks, badge, certificate, key),
        "face": face,
        "driving_face": driving_face,
        "overwrite": overwrite,
    }
    if reference != "first" and not relative:
        msg = "--reference says from which face --relative counts: add --relative"
        raise InputError(msg)
    animator = Animator.from_pretrained(model, device, engine)
    if len(source) == len(driving) == 1 and not out.is_dir():
        echo(write(animator, source[0], driving[0], out, **options).describe())
        return 0
    return _tell(reenact_all(animator, source, driving, out, **options))


def _tell(outcomes: Iterator[Outcome]) -> int:
    """A line for each failure as it comes, a table in the end; an error if nothing was made."""
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=True)
    table = Table("source", "driver", "result", "frames", "seconds")
    made = failed = 0
    last = ""
    for outcome in outcomes:
        names = outcome.source.name, outcome.driving.name
        if outcome.summary is None:
            failed, last = failed + 1, outcome.error
            table.add_row(*names, outcome.error, "", "")
            console.print(f"{names[0]} by {names[1]}: {outcome.error}", markup=False, highlight=False)
        else:
            made += 1
            numbers = str(outcome.summary.frames), f"{outcome.summary.seconds:.1f}"
            table.add_row(*names, str(outcome.out), *numbers)
    Console().print(table)
    if not made:
        msg = f"nothing could be made; the last reason: {last}"
        raise InputError(msg)
    return EXIT_PARTIAL if failed else 0
