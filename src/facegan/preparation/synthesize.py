"""Render videos of synthetic talking heads with sound, and write their exact ground truth."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
import pyarrow.parquet as pq

from facegan import __version__
from facegan.errors import InputError
from facegan.geometry.motion import MOTION_NAMES
from facegan.io.atomic import check_output_is_free
from facegan.io.resumable import RESULT_FOLDER, resumable_output
from facegan.parallel.workers import run_jobs, worker_count
from facegan.preparation.crop_tracks import encode_segmentation
from facegan.preparation.shard_writer import GROUP_ROWS, RowWriter
from synthetic_heads import (
    GROUND_TRUTH_FILE,
    GROUND_TRUTH_SCHEMA,
    MOTION_STYLES,
    render,
    sample_identity,
    sample_motion,
    sample_scene,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from synthetic_heads import MotionSequence

SOUND_RATE = 44_100
ENCODING = {"crf": "18", "preset": "veryfast", "threads": "1", "x264-params": "cpu-independent=1"}
"""Deterministic: without the last, x264 does not always write the same bytes, even on one machine."""
_IDENTITY, _SCENE, _MOTION, _NOISE = range(1, 5)


def synthesize(
    out: Path,
    *,
    identities: int,
    clips: int,
    seconds: float,
    size: int,
    seed: int,
    fps: float = 25.0,
    workers: int | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Path:
    """Write videos of talking heads with sound, ``OUT/<identity>/<clip>.mp4``, and their ground truth.

    ``OUT/ground_truth.parquet`` has one row per frame; :data:`synthetic_heads.GROUND_TRUTH_SCHEMA` lists its
    columns. A clip depends on the seed, its identity's number and its own: more of any only adds
    files. It does not depend on the number of workers. Nothing appears at ``out`` before all is complete; an
    interrupted call, made again, resumes and gives the same files.

    Args:
        out: a new or empty folder.
        identities: number of people.
        clips: videos of each, which differ in scene and motion style.
        seconds: length of a video.
        size: side of the frames in pixels, even.
        seed: the same seed gives the same pixels.
        fps: frames per second.
        workers: number of processes; by default one per core.
        overwrite: replace what an earlier call wrote to ``out``.
        progress: show a bar.

    Returns:
        ``out``.

    Raises:
        InputError: for a number out of range, or if ``out`` is not empty and may not be replaced.
        OSError: if the result cannot be written, for example to a full disk.
    """
    frames = round(seconds * fps) if math.isfinite(seconds * fps) else 0
    if min(identities, clips, frames) < 1 or size < 32 or size % 2 or seed < 0 or not fps > 0:
        msg = (
            f"cannot synthesize {identities} identities × {clips} clips of {seconds} s at {fps} frames/s, "
            f"size {size}, seed {seed}: all must be positive, the size even and 32 or more"
        )
        raise InputError(msg)
    workers = worker_count(workers)
    place = Path(out).resolve()
    check_output_is_free(place, marker=GROUND_TRUTH_FILE, overwrite=overwrite)
    jobs = [
        _Clip(person, clip, frames, fps, size, seed) for person in range(identities) for clip in range(clips)
    ]
    with resumable_output(place, {"version": __version__, "clips": jobs}) as folder:
        render_clip = partial(_render_clip, folder=folder)
        run_jobs(render_clip, jobs, workers=workers, title="rendering", progress=progress)
        _collect(jobs, folder)
    return out


class _Clip(NamedTuple):
    person: int
    number: int
    frames: int
    fps: float
    size: int
    seed: int

    @property
    def identity(self) -> str:
        return f"{self.person:04d}"

    @property
    def video(self) -> str:
        return f"{self.identity}/{self.number:02d}.mp4"

    def files(self, folder: Path) -> tuple[Path, Path]:
        """Video and rows of the ground truth; when both are there the clip is done."""
        path = folder / self.video
        return path, path.with_suffix(".parquet")


def _render_clip(clip: _Clip, folder: Path) -> None:
    """Write a clip's files, unless an interrupted run has written them."""
    done = clip.files(folder)
    if all(path.exists() for path in done):
        return
    done[0].parent.mkdir(exist_ok=True)
    unfinished = [path.with_stem(f"{path.stem}.partial") for path in done]
    styles = list(MOTION_STYLES)
    sequence = sample_motion(
        _derived(_MOTION, clip.seed, clip.person, clip.number),
        clip.frames,
        clip.fps,
        motion_style=styles[(clip.person + clip.number) % len(styles)],
    )
    _write(clip, sequence, *unfinished)
    for path, name in zip(unfinished, done, strict=True):
        path.replace(name)


def _write(clip: _Clip, sequence: MotionSequence, video: Path, rows: Path) -> None:
    """Render and encode one video frame by frame."""
    identity_seed = _derived(_IDENTITY, clip.seed, clip.person)
    scene_seed = _derived(_SCENE, clip.seed, clip.person, clip.number)
    identity, scene = sample_identity(identity_seed), sample_scene(scene_seed)
    camera = scene.camera
    same = {
        "video": clip.video,
        "identity": clip.identity,
        "clip": clip.number,
        "fps": clip.fps,
        "size": clip.size,
        "camera": (camera.distance, camera.focal, *camera.center),
        "identity_seed": identity_seed,
        "scene_seed": scene_seed,
    }
    truth = RowWriter(rows, GROUND_TRUTH_SCHEMA)
    with av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=_rate(clip.fps), options=ENCODING)
        stream.width = stream.height = clip.size
        stream.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        jaw = sequence.motion[:, MOTION_NAMES.index("AU26")]
        voice = _voice(jaw, clip.fps, pitch=100 + 12 * (clip.person % 12))
        for number, (vector, gaze) in enumerate(zip(*sequence, strict=True)):
            if number % math.ceil(clip.fps) == 0:  # sound and images are interleaved in the file
                container.mux(sound.encode(next(voice)))
            noise_seed = _derived(_NOISE, scene_seed, number)
            frame = render(identity, vector, clip.size, gaze=gaze, scene=scene, noise_seed=noise_seed)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="rgb24")))
            truth.write(
                same
                | {
                    "frame": number,
                    "time": number / clip.fps,
                    "landmarks": frame.landmarks.ravel(),
                    "mesh": frame.mesh.ravel(),
                    "motion": vector,
                    "gaze": gaze,
                    "segmentation": encode_segmentation(frame.segmentation),
                    "noise_seed": noise_seed,
                }
            )
        container.mux(stream.encode())
        for wave in (*voice, None):
            container.mux(sound.encode(wave))
    truth.close()


def _collect(clips: Sequence[_Clip], folder: Path) -> None:
    """Merge the clips' files, one row group in memory at a time."""
    result = folder / RESULT_FOLDER
    with pq.ParquetWriter(result / GROUND_TRUTH_FILE, GROUND_TRUTH_SCHEMA) as writer:
        for clip in clips:
            with pq.ParquetFile(clip.files(folder)[1]) as rows:
                # Groups of the parts are small; iterating over batches would read far ahead.
                together = GROUP_ROWS // RowWriter.BATCH
                for first in range(0, rows.num_row_groups, together):
                    groups = range(first, min(first + together, rows.num_row_groups))
                    writer.write_table(rows.read_row_groups(groups, use_threads=False))
    for clip in clips:
        video = clip.files(result)[0]
        video.parent.mkdir(exist_ok=True)
        clip.files(folder)[0].rename(video)


def _derived(purpose: int, *numbers: int) -> int:
    """Derive a seed for every purpose and combination of numbers."""
    return int(np.random.SeedSequence((purpose, *numbers)).generate_state(1)[0])


def _rate(fps: float) -> Fraction:
    return Fraction(fps).limit_denominator(1001)


def _voice(jaw: NDArray[np.float32], fps: float, pitch: float) -> Iterator[av.AudioFrame]:
    """Synthesize a tone, second by second; loudness and pitch grow with the opening of the jaw."""
    total = round(len(jaw) / fps * SOUND_RATE)
    phase = 0.0
    for start in range(0, total, SOUND_RATE):
        time = np.arange(start, min(start + SOUND_RATE, total)) / SOUND_RATE
        loud = np.interp(time * fps, np.arange(len(jaw)), jaw)
        phases = phase + 2 * np.pi * np.cumsum(pitch * (1 + 0.3 * loud)) / SOUND_RATE
        phase = float(phases[-1])
        tone = 0.3 * loud * sum(np.sin(harmonic * phases) / harmonic for harmonic in range(1, 6))
        wave = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), format="fltp", layout="mono")
        wave.sample_rate, wave.pts, wave.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        yield wave
