"""``facegan prepare``: a function, whose signature is its command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from facegan.cli.console import EXIT_PARTIAL
from facegan.errors import InputError

if TYPE_CHECKING:
    from facegan.preparation import Summary


def prepare(
    kind: Literal["videos", "faceforensics", "ijbc", "synthetic"],
    input_: Path,
    *,
    out: Path,
    size: int = 256,
    min_face: int = 48,
    min_confidence: float = 0.5,
    max_angle: float = 60,
    min_sharpness: float = 0,
    max_covered: float = 1,
    min_change: float = 0,
    every: int = 1,
    rate: float | None = None,
    max_frames: int | None = None,
    identities: Path | None = None,
    cluster: bool = False,
    quality: Literal["raw", "c0", "c23", "c40"] | None = None,
    splits: Literal["official", "paper"] | None = None,
    seed: int = 0,
    workers: int | None = None,
    engine: Literal["local", "ray"] = "local",
    dry_run: bool = False,
    overwrite: bool = False,
) -> int:
    """Videos to a data set: faces found, followed, cropped and measured.

    Ends with status 3 when the data set is made, but some of the videos gave nothing or only a part.

    Example:
        facegan prepare videos my_videos/ --out data/mine/prepared --size 256

    Args:
        kind: videos of any folder, a data set as it is distributed, or synthetic for what facegan synthesize
            wrote, with its truth in place of measurements.
        input_: folder; of videos the first sub-folder's name is the person, else every file is one.
        out: folder of the data set.
        size: height and width of the crops in pixels.
        min_face: smaller faces are rejected, in pixels.
        min_confidence: less certain faces are rejected, 0..1; this and the next four not for synthetic.
        max_angle: faces that look further up, down or aside are rejected, in degrees.
        min_sharpness: blurred crops are rejected.
        max_covered: crops with a larger part of the face covered are rejected, 0..1.
        min_change: crops that hardly differ from the one before are rejected, mean difference of 255.
        every: take each so-manieth frame.
        rate: of these take so many a second (not for synthetic, nor ijbc).
        max_frames: take at most so many frames of a video.
        identities: CSV with the columns file and identity, in place of the sub-folders (videos only).
        cluster: name people by their faces, whatever the folders say (not for synthetic).
        quality: of the videos, by default the best that is there (faceforensics only).
        splits: official, the default, or paper: 400 videos for the test alone (faceforensics only).
        seed: of the split by person.
        workers: processes; by default one a core, of a cluster all.
        engine: local processes, or a Ray cluster that sees the same files (not for synthetic).
        dry_run: say what would be done, and write nothing (not for synthetic).
        overwrite: replace what lies at OUT.
    """
    for option, given, of in (
        ("identities", identities, ("videos",)),
        ("quality", quality, ("faceforensics",)),
        ("splits", splits, ("faceforensics",)),
        ("cluster", cluster, ("videos", "faceforensics", "ijbc")),
        ("rate", rate, ("videos", "faceforensics")),
        ("dry-run", dry_run, ("videos", "faceforensics", "ijbc")),
        ("engine", engine != "local", ("videos", "faceforensics", "ijbc")),
    ):
        if given and kind not in of:
            msg = f"--{option} is for {', '.join(of)}, not for {kind}"
            raise InputError(msg)
    run: dict[str, Any] = {"seed": seed, "workers": workers, "overwrite": overwrite}
    if kind == "synthetic":
        from facegan.preparation.synthetic import prepare_synthetic

        frames: dict[str, Any] = {"min_face": min_face, "every": every, "max_frames": max_frames}
        summary = prepare_synthetic(input_, out, size=size, **frames, **run)
        return _told(summary)
    from facegan.preparation import (
        Settings,
        find_faceforensics,
        find_ijbc,
        find_videos,
        plan,
        prepare_videos,
    )

    if kind == "faceforensics":
        source = find_faceforensics(input_, quality=quality, splits=splits or "official")
    else:
        source = find_ijbc(input_) if kind == "ijbc" else find_videos(input_, identities)
    settings = Settings(
        size=size,
        min_face=min_face,
        min_confidence=min_confidence,
        every=every,
        rate=rate,
        max_frames=max_frames,
        max_angle=max_angle,
        min_sharpness=min_sharpness,
        max_covered=max_covered,
        min_change=min_change,
        recognize=cluster,
    )
    if dry_run:
        sys.stdout.write(plan(source, out, settings) + "\n")
        return 0
    return _told(prepare_videos(source, out, settings, engine=engine, **run))


def _told(summary: Summary) -> int:
    sys.stdout.write(summary.describe() + "\n")
    return EXIT_PARTIAL if summary.flawed else 0
