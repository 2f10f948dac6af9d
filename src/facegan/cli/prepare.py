"""``facegan prepare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from facegan.cli.console import EXIT_PARTIAL, echo
from facegan.errors import InputError
from facegan.preparation.prepare_config import PrepareConfig

if TYPE_CHECKING:
    from facegan.preparation import Summary


def prepare(
    kind: Literal["videos", "photos", "faceforensics", "ijbc", "synthetic"],
    input_: Path,
    *,
    out: Path,
    config: PrepareConfig,
    identities: Path | None = None,
    quality: Literal["raw", "c0", "c23", "c40"] | None = None,
    splits: Literal["official", "paper"] | None = None,
    seed: int = 0,
    workers: int | None = None,
    engine: Literal["local", "ray"] = "local",
    overwrite: bool = False,
) -> int:
    """Prepare a data set from videos: detect, track, crop and annotate faces.

    An interrupted preparation, started again, resumes. The exit status is 3 if some of the videos gave no
    crops or were decoded only in part.

    Example:
        facegan prepare videos my_videos/ --out data/mine/prepared --size 256

    Args:
        kind: any folder of videos; photos, with a sub-folder for each person and session; a data set as it is
            distributed; or synthetic for the output of facegan synthesize, whose ground truth replaces the
            detectors.
        input_: folder of the input; in videos and photos, the name of the first sub-folder is the identity.
        out: folder of the data set.
        config: which frames and faces are used.
        identities: CSV file with the columns file and identity, in place of the sub-folders (videos only).
        quality: quality of the videos, by default the best that is there (faceforensics only).
        splits: official (default), or paper for 400 test videos (faceforensics only).
        seed: seed of the split by identity.
        workers: number of processes (default: one per core, of a cluster all).
        engine: local processes, or a Ray cluster that sees the same files (not for synthetic).
        overwrite: replace a data set in OUT.
    """
    for option, given, kinds in (
        ("identities", identities, ("videos",)),
        ("quality", quality, ("faceforensics",)),
        ("splits", splits, ("faceforensics",)),
        ("cluster", config.cluster, ("videos", "photos", "faceforensics", "ijbc")),
        ("sample-fps", config.sample_fps, ("videos", "faceforensics")),
        ("engine", engine != "local", ("videos", "photos", "faceforensics", "ijbc")),
    ):
        if given and kind not in kinds:
            msg = f"--{option} is for {', '.join(kinds)}, not for {kind}"
            raise InputError(msg)
    if kind == "synthetic":
        from facegan.preparation.synthetic import prepare_synthetic

        summary = prepare_synthetic(input_, out, config, seed=seed, workers=workers, overwrite=overwrite)
        return _print_summary(summary)
    from facegan.preparation import (
        find_faceforensics,
        find_ijbc,
        find_photos,
        find_videos,
        prepare_videos,
    )

    if kind == "faceforensics":
        source = find_faceforensics(input_, quality=quality, splits=splits or "official")
    elif kind == "videos":
        source = find_videos(input_, identities)
    else:
        source = find_ijbc(input_) if kind == "ijbc" else find_photos(input_)
    summary = prepare_videos(
        source, out, config, seed=seed, workers=workers, engine=engine, overwrite=overwrite
    )
    return _print_summary(summary)


def _print_summary(summary: Summary) -> int:
    echo(summary.describe())
    return EXIT_PARTIAL if summary.has_errors else 0
