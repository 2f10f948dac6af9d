"""Prepare a data set from videos."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facegan.errors import InputError
from facegan.io.resumable import PART_MARKER, RESULT_FOLDER, resumable_output
from facegan.parallel.workers import run_jobs, worker_count
from facegan.perception import FaceAnalyzer, FaceParser
from facegan.preparation.crop_tracks import ClipResult, prepare_clip
from facegan.preparation.dataset_format import FORMAT_VERSION
from facegan.preparation.dataset_report import write_report
from facegan.preparation.face_annotator import annotate_with_detectors
from facegan.preparation.identity_clustering import cluster_identities
from facegan.preparation.prepare_config import PrepareConfig
from facegan.preparation.shard_writer import ShardWriter, check_output, read_track, write_description
from facegan.preparation.splits import SPLITS, split_identities
from facegan.preparation.summary import Summary, summarize
from facegan.preparation.video_manifest import hash_clip, write_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from facegan.parallel.workers import Engine
    from facegan.preparation.face_annotator import AnnotatorFactory
    from facegan.preparation.sources import DataSource, VideoClip

DEFAULT_CONFIG = PrepareConfig()


def prepare_videos(
    source: DataSource,
    out: Path,
    config: PrepareConfig = DEFAULT_CONFIG,
    *,
    seed: int = 0,
    workers: int | None = None,
    engine: Engine = "local",
    overwrite: bool = False,
    progress: bool = True,
) -> Summary:
    """Prepare a data set of the faces in videos, annotated by detectors.

    The result depends on the input and the configuration, not on the number of workers. ``out`` appears when
    it is complete; an interrupted preparation, started again, resumes.

    Args:
        source: the videos, from :func:`find_videos` and its like.
        out: folder of the data set.
        config: which frames and faces are used.
        seed: seed of the split by identity.
        workers: number of processes; by default one per core, of a cluster all.
        engine: local processes or a cluster, whose machines need this package, and the input and ``out``
            under the same paths.
        overwrite: replace a data set in ``out``.
        progress: show a progress bar.

    Raises:
        InputError: if ``out`` is in use, no usable face is found, or the cluster does not answer.
        OSError: if the result cannot be written, for example to a full disk.
    """
    if workers is not None or engine == "local":
        workers = worker_count(workers)
    check_output(out, Path(source.input), overwrite=overwrite)
    # Fetches the models once, before several workers would.
    FaceAnalyzer().close()
    FaceParser().close()
    return write_dataset(
        source.absolute(),
        out,
        annotate_with_detectors,
        config,
        seed=seed,
        workers=workers,
        engine=engine,
        progress=progress,
    )


def write_dataset(
    source: DataSource,
    out: Path,
    annotate: AnnotatorFactory,
    config: PrepareConfig,
    *,
    seed: int,
    workers: int | None,
    engine: Engine = "local",
    progress: bool,
) -> Summary:
    """Write the data set of any source.

    Args:
        source: the videos.
        out: folder of the data set; see :func:`check_output`.
        annotate: opens the annotator of a clip; sent to the workers.
        config: which frames and faces are used.
        seed: seed of the split by identity.
        workers: number of processes; None for all that the engine has.
        engine: local processes or a cluster.
        progress: show a progress bar.

    Raises:
        InputError: if no usable face is found.
    """
    out = Path(out).resolve()
    settings = asdict(config)
    with resumable_output(out, _describe_job(source, settings)) as folder:
        for unfinished in folder.glob("*.*/"):
            shutil.rmtree(unfinished)
        results = run_jobs(
            partial(_prepare_clip_once, config=config, annotate=annotate),
            [(clip, folder / f"{number:06d}") for number, clip in enumerate(source.clips)],
            workers=workers,
            title="preparing",
            progress=progress,
            engine=engine,
        )
        summary = summarize(source, results, out)
        _merge_tracks(source, results, folder, seed, summary)
        result = folder / RESULT_FOLDER
        settings |= {"seed": seed}
        write_manifest(result, source, results)
        where = {"kind": source.kind, "input": source.input}
        write_description(result, config.size, where, **summary.entries(), settings=settings)
        write_report(result, f"{source.kind} of {source.input}", summary, settings)
    return summary


def _describe_job(source: DataSource, settings: dict[str, Any]) -> dict[str, Any]:
    """Describe all that the result depends on; of a file its path, size and modification time."""
    clips = []
    for clip in source.clips:
        stats = [(str(path.resolve()), path.stat()) for path in clip.paths]
        state = [(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]
        clips.append([clip.video, clip.identity, clip.split, state])
    return {"version": FORMAT_VERSION, "kind": source.kind, "settings": settings, "clips": clips}


def _prepare_clip_once(
    job: tuple[VideoClip, Path], config: PrepareConfig, annotate: AnnotatorFactory
) -> ClipResult:
    """Prepare a clip in a folder that appears when it is complete, unless an interrupted run has done so."""
    clip, done = job
    if not done.is_dir():
        # A unique name: on a cluster, a worker of a killed run may still be writing.
        folder = Path(tempfile.mkdtemp(prefix=f"{done.name}.", dir=done.parent))
        result = _prepare_clip_safely(clip, folder, config, annotate)
        (folder / PART_MARKER).write_text(json.dumps(vars(result)), encoding="utf-8")
        try:
            folder.rename(done)
        except OSError:
            if not done.is_dir():
                raise
            shutil.rmtree(folder)
    return ClipResult(**json.loads((done / PART_MARKER).read_text(encoding="utf-8")))


def _prepare_clip_safely(
    clip: VideoClip, folder: Path, config: PrepareConfig, annotate: AnnotatorFactory
) -> ClipResult:
    try:
        result = prepare_clip(clip, folder, config, annotate)
    except InputError as error:
        result = ClipResult(skipped=str(error))
    except OSError:
        raise  # A full disk is not an error of the video.
    except Exception as error:  # One bad video must not stop the preparation of the others.
        result = ClipResult(skipped=f"{type(error).__name__}: {' '.join(str(error).split())}")
    result.sha256 = hash_clip(clip)
    return result


def _merge_tracks(
    source: DataSource, results: Sequence[ClipResult], folder: Path, seed: int, summary: Summary
) -> None:
    """Merge the files of the tracks, sorted by video and track, into shards, and count them."""
    clips = [
        (folder / f"{number:06d}", *pair)
        for number, pair in enumerate(zip(source.clips, results, strict=True))
    ]
    embeddings = {
        str(part / name): embedding
        for part, _, result in clips
        for name, embedding in result.embeddings.items()
    }
    clusters = cluster_identities(embeddings)
    tracks = [
        (clip, part / name, clusters.get(str(part / name), clip.identity), crops)
        for part, clip, result in clips
        for name, crops in result.tracks.items()
    ]
    fixed: dict[str, str] = {}
    for split in SPLITS:  # Of an identity in several splits the last: no test contains a trained face.
        fixed |= {identity: split for clip, _, identity, _ in tracks if clip.split == split}
    splits = split_identities((identity for _, _, identity, _ in tracks), seed, fixed)
    videos = set()
    writer = ShardWriter(folder / RESULT_FOLDER)
    for clip, path, identity, crops in tracks:
        split = splits[identity]
        for table in read_track(path, identity, split):
            writer.write(table)
        for counts in (summary.total, summary.splits[split]):
            counts.tracks += 1
            counts.crops += crops
        videos.add((clip.video, split))
    writer.close()
    summary.total.videos = len({video for video, _ in videos})
    for _, split in videos:
        summary.splits[split].videos += 1
    for split in splits.values():
        for counts in (summary.total, summary.splits[split]):
            counts.identities += 1
