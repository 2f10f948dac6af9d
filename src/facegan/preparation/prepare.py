"""Videos to a data set: the whole preparation, behind ``facegan prepare``."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facegan.errors import InputError
from facegan.io.resumable import PART_MARKER, RESULT_FOLDER, count_finished_parts, resumable_output
from facegan.parallel.workers import run_jobs, worker_count
from facegan.perception import FaceAnalyzer, FaceParser
from facegan.preparation.crop_tracks import ClipResult, Settings, prepare_clip
from facegan.preparation.dataset_report import write_report
from facegan.preparation.face_annotator import detect
from facegan.preparation.identity_clustering import cluster_identities
from facegan.preparation.shard_writer import VERSION, ShardWriter, check_free, read_part, write_description
from facegan.preparation.splits import SPLITS, split_identities
from facegan.preparation.video_manifest import digest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from facegan.parallel.workers import Engine
    from facegan.preparation.face_annotator import Observe
    from facegan.preparation.sources import Clip, Source


DEFAULT = Settings()


@dataclass
class Counts:
    """How much there is of each."""

    identities: int = 0
    videos: int = 0
    tracks: int = 0
    crops: int = 0


@dataclass
class Summary:
    """What a preparation made of its input.

    Attributes:
        out: the data set.
        total: what it holds.
        splits: the same for each split.
        frames: number of frames looked at.
        ignored: number of files that are hidden or obviously no videos.
        rejected: reason to number of faces that were found but not used.
        skipped: video, or file without a clip, to the reason why it gave nothing.
        damaged: video to the reason why it is used up to its damage only.
    """

    out: Path
    total: Counts = field(default_factory=Counts)
    splits: dict[str, Counts] = field(default_factory=lambda: {name: Counts() for name in SPLITS})
    frames: int = 0
    ignored: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)

    @property
    def flawed(self) -> bool:
        """Whether a part of the input could not be used."""
        return bool(self.skipped or self.damaged)

    def describe(self) -> str:
        """The same in lines for a person."""
        total = self.total
        splits = [f"{name} {part.crops} ({part.identities} people)" for name, part in self.splits.items()]
        lines = [
            f"{total.crops} crops of {total.identities} people, {total.tracks} tracks, {total.videos} videos",
            f"splits: {', '.join(splits)}",
        ]
        if self.rejected:
            lines.append(
                "faces not used: " + ", ".join(f"{n} {why}" for why, n in self.rejected.most_common())
            )
        if self.flawed:
            lines.append(
                f"videos that gave nothing: {len(self.skipped)}, used up to their damage: {len(self.damaged)}"
            )
        lines += [f"skipped {video}: {why}" for video, why in self.skipped.items()]
        lines += [f"used up to its damage {video}: {why}" for video, why in self.damaged.items()]
        return "\n".join([*lines, f"data set: {self.out}"])


def prepare_videos(
    source: Source,
    out: Path,
    settings: Settings = DEFAULT,
    *,
    seed: int = 0,
    workers: int | None = None,
    engine: Engine = "local",
    overwrite: bool = False,
    progress: bool = True,
) -> Summary:
    """Makes a data set of the faces in videos.

    The result depends on the input and the settings, not on the number of workers. It appears under
    its name when it is complete; an interrupted preparation, started again, continues.

    Args:
        source: the videos, as :func:`find_videos` and its like find them.
        out: folder of the data set.
        settings: which frames and faces are taken, and how crops are made.
        seed: of the split by identity.
        workers: number of processes; by default one a core, of a cluster all.
        engine: where they are; a cluster's machines need this package, and see input and ``out`` under
            the same names.
        overwrite: replace a data set at ``out``.
        progress: show a progress bar.

    Raises:
        InputError: if there is nothing to prepare, ``out`` is in use, no usable face is found, or the
            engine does not answer.
        OSError: if the result cannot be written, for example to a full disk.
    """
    if workers is not None or engine == "local":
        workers = worker_count(workers)
    check_free(out, Path(source.input), overwrite=overwrite)
    # Fetches the models once, before several workers would.
    FaceAnalyzer().close()
    FaceParser().close()
    return write_data_set(
        source.absolute(), out, detect, settings, seed=seed, workers=workers, engine=engine, progress=progress
    )


def write_data_set(
    source: Source,
    out: Path,
    observe: Observe,
    settings: Settings,
    *,
    seed: int,
    workers: int | None,
    engine: Engine = "local",
    progress: bool,
) -> Summary:
    """Makes a data set of the clips of any source.

    Args:
        source: the clips.
        out: folder of the data set; see :func:`check_free`.
        observe: what tells the faces of a clip; sent to the workers.
        settings: how crops are made.
        seed: of the split by identity.
        workers: number of processes; None for all that the engine has.
        engine: where they are.
        progress: show a progress bar.

    Raises:
        InputError: if no usable face is found.
    """
    out = Path(out).resolve()
    with resumable_output(out, _job(source, settings)) as folder:
        for unfinished in folder.glob("*.*/"):
            shutil.rmtree(unfinished)
        results = run_jobs(
            partial(_run, settings=settings, observe=observe),
            [(clip, folder / f"{number:06d}") for number, clip in enumerate(source.clips)],
            workers=workers,
            title="preparing",
            progress=progress,
            engine=engine,
        )
        summary = _summarise(source, results, out)
        _merge(zip(source.clips, results, strict=True), folder, seed, summary)
        write_manifest(folder / RESULT_FOLDER, zip(source.clips, results, strict=True), source.skipped)
        write_description(
            folder / RESULT_FOLDER,
            settings.size,
            {"kind": source.kind, "input": source.input},
            counts=asdict(summary.total) | {"frames": summary.frames, "ignored": summary.ignored},
            splits={name: asdict(counts) for name, counts in summary.splits.items()},
            rejected=summary.rejected,
            skipped=summary.skipped,
            damaged=summary.damaged,
            settings=asdict(settings) | {"seed": seed},
        )
        title = f"{source.kind} of {source.input}"
        write_report(folder / RESULT_FOLDER, title, summary, asdict(settings) | {"seed": seed})
    return summary


def plan(source: Source, out: Path, settings: Settings) -> str:
    """What a preparation would do, in lines for a person; nothing is written."""
    pictures = sum(len(clip.pictures) for clip in source.clips)
    people = {clip.identity for clip in source.clips}
    prescribed = Counter(clip.split or "to be drawn" for clip in source.clips)
    size = sum(size for clip in source.clips for _, size, _ in _state(clip))
    done = count_finished_parts(Path(out).resolve(), _job(source, settings))
    lines = [
        f"{len(source.clips)} videos of {len(people)} people, {size / 1e6:,.0f} MB"
        + (f", {pictures} pictures in place of frames" if pictures else ""),
        "splits: " + ", ".join(f"{name} {count}" for name, count in sorted(prescribed.items())),
        f"other files: {source.ignored}",
        f"already done by an interrupted run: {done}",
    ]
    lines += [f"left out {name}: {why}" for name, why in source.skipped.items()]
    return "\n".join([*lines, f"would be written to {out}"])


def _job(source: Source, settings: Settings) -> dict[str, Any]:
    """What the work depends on."""
    clips = [[clip.video, clip.identity, clip.split, _state(clip)] for clip in source.clips]
    return {"version": VERSION, "kind": source.kind, "settings": asdict(settings), "clips": clips}


def _state(clip: Clip) -> list[tuple[str, int, int]]:
    """What tells whether the files are those that they were."""
    paths = [picture.path for picture in clip.pictures] or [clip.path]
    stats = [path.stat() for path in paths]
    return [
        (str(path.resolve()), stat.st_size, stat.st_mtime_ns) for path, stat in zip(paths, stats, strict=True)
    ]


def _run(job: tuple[Clip, Path], settings: Settings, observe: Observe) -> ClipResult:
    """A clip in its own sub-folder, which appears when it is done; an interrupted run's is taken as it is."""
    clip, done = job
    if not done.is_dir():
        # Of a name of its own: on a cluster the worker of a run that was killed may still be at it.
        folder = Path(tempfile.mkdtemp(prefix=f"{done.name}.", dir=done.parent))
        _run_anew(clip, folder, settings, observe)
        try:
            folder.rename(done)
        except OSError:
            if not done.is_dir():
                raise
            shutil.rmtree(folder)
    return ClipResult(**json.loads((done / PART_MARKER).read_text(encoding="utf-8")))


def _run_anew(clip: Clip, folder: Path, settings: Settings, observe: Observe) -> None:
    try:
        result = prepare_clip(clip, folder, settings, observe)
    except InputError as error:
        result = ClipResult(skipped=str(error))
    except OSError:
        raise  # A full disk is no fault of the video.
    except Exception as error:  # One strange video must not stop ten thousand.
        result = ClipResult(skipped=f"{type(error).__name__}: {' '.join(str(error).split())}")
    result.sha256 = digest(clip)
    (folder / PART_MARKER).write_text(json.dumps(vars(result)), encoding="utf-8")


def _summarise(source: Source, results: list[ClipResult], out: Path) -> Summary:
    summary = Summary(out, ignored=source.ignored, skipped=dict(source.skipped))
    for clip, result in zip(source.clips, results, strict=True):
        summary.frames += result.frames
        summary.rejected.update(result.rejected)
        if result.skipped:
            summary.skipped[clip.video] = result.skipped
        elif result.damage:
            summary.damaged[clip.video] = result.damage
    if not any(result.tracks for result in results):
        reasons = summary.rejected + Counter(why.partition(" (")[0] for why in summary.skipped.values())
        msg = f"no usable face in {source.input}: " + ", ".join(f"{n} × {why}" for why, n in reasons.items())
        raise InputError(msg)
    return summary


def _merge(pairs: Iterable[tuple[Clip, ClipResult]], folder: Path, seed: int, summary: Summary) -> None:
    """Puts the tracks' parts together, sorted by video and track, and counts them."""
    used = [(number, clip, result) for number, (clip, result) in enumerate(pairs) if result.tracks]
    tracks = [
        (number, clip, name, crops) for number, clip, result in used for name, crops in result.tracks.items()
    ]
    people = cluster_identities(
        {
            f"{number}/{name}": embedding
            for number, _, result in used
            for name, embedding in result.embeddings.items()
        }
    )
    whose = {
        (number, name): people.get(f"{number}/{name}", clip.identity) for number, clip, name, _ in tracks
    }
    fixed: dict[str, str] = {}
    for split in SPLITS:  # Of a person in several the last: no test sees a trained face.
        fixed |= {whose[number, name]: split for number, clip, name, _ in tracks if clip.split == split}
    splits = split_identities(whose.values(), seed, fixed)
    videos = set()
    writer = ShardWriter(folder / RESULT_FOLDER)
    for number, clip, name, crops in tracks:
        identity = whose[number, name]
        split = splits[identity]
        for table in read_part(folder / f"{number:06d}" / name, identity, split):
            writer.write(table)
        for counts in (summary.total, summary.splits[split]):
            counts.tracks += 1
            counts.crops += crops
        videos.add((clip.video, split))
    writer.close()
    summary.total.videos = len(used)
    for _, split in videos:
        summary.splits[split].videos += 1
    for split in splits.values():
        for counts in (summary.total, summary.splits[split]):
            counts.identities += 1
