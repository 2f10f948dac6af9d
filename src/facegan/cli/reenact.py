"""``facegan reenact``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from facegan.cli.console import EXIT_PARTIAL, echo
from facegan.errors import InputError
from facegan.inference import Animator, BatchResult, MotionTransferConfig, RenderConfig, reenact_all
from facegan.inference import reenact as reenact_file
from facegan.inference.engines import EngineName
from facegan.provenance import ProvenanceConfig


def reenact(
    *,
    model: str,
    source: list[Path],
    driving: list[Path],
    out: Path,
    face: int = 1,
    driving_face: int = 1,
    engine: EngineName = "torch",
    device: str = "cpu",
    overwrite: bool = False,
    transfer: MotionTransferConfig,
    render: RenderConfig,
    provenance: ProvenanceConfig,
) -> int:
    """Animate source images by driving videos or images.

    Every source is animated by every driving file. Several results, or one if OUT is an existing folder, are
    written into the folder OUT.

    Example:
        facegan reenact --model runs/model --source me.jpg --driving clip.mp4 --out reenacted.mp4

    Args:
        model: Model folder, or owner/name on the hub.
        source: Source images.
        driving: Driving videos or images.
        out: .mp4 for a video, .png or .jpg for an image; a folder for several results.
        face: Which face of the source image, 1 for the largest.
        driving_face: Which face of the driving file, 1 for the largest.
        engine: What runs the networks; openvino and onnx after facegan export.
        device: PyTorch device: cpu, cuda, mps.
        overwrite: Replace OUT.
        transfer: How the motion is transferred.
        render: What the result shows besides the face.
        provenance: How the result is marked.
    """
    options: dict[str, Any] = {
        "transfer": transfer,
        "render": render,
        "provenance": provenance,
        "face": face,
        "driving_face": driving_face,
        "overwrite": overwrite,
    }
    animator = Animator.from_pretrained(model, device, engine)
    if len(source) == len(driving) == 1 and not out.is_dir():
        echo(reenact_file(animator, source[0], driving[0], out, **options).describe())
        return 0
    return _report_results(reenact_all(animator, source, driving, out, **options))


def _report_results(results: Iterator[BatchResult]) -> int:
    """Print each failure as it comes and a table at the end; raise an error if all failed."""
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=True)
    table = Table("source", "driving", "result", "frames", "seconds")
    succeeded = failed = 0
    last_error = ""
    for result in results:
        names = result.source.name, result.driving.name
        if result.summary is None:
            failed, last_error = failed + 1, result.error
            table.add_row(*names, result.error, "", "")
            console.print(f"{names[0]} by {names[1]}: {result.error}", markup=False, highlight=False)
        else:
            succeeded += 1
            numbers = str(result.summary.frames), f"{result.summary.seconds:.1f}"
            table.add_row(*names, str(result.out), *numbers)
    Console().print(table)
    if not succeeded:
        msg = f"every reenactment failed; the last reason: {last_error}"
        raise InputError(msg)
    return EXIT_PARTIAL if failed else 0
