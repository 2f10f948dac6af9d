"""Videos of the built-in head: movements, sound, and the exact ground truth beside them."""

from __future__ import annotations

import math
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import av
import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import track
from scipy.ndimage import gaussian_filter1d

from facegan import motion
from facegan.errors import InputError
from facegan.files import new_folder
from facegan.synthetic.head import sample_identity
from facegan.synthetic.render import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

GROUND_TRUTH = "ground_truth.parquet"
SOUND_RATE = 44_100
MAX_DEGREES = {"pitch": 14, "yaw": 25, "roll": 12}
_SCHEMA = pa.schema(
    {
        "video": pa.string(),
        "identity": pa.string(),
        "frame": pa.int32(),
        "time": pa.float64(),
        "landmarks": pa.list_(pa.float32(), 136),
        "motion": pa.list_(pa.float32(), motion.SIZE),
    }
)


def sample_motion(seed: int, frames: int, fps: float) -> NDArray[np.float32]:
    """Draws the movements of somebody who talks: syllables, blinks, brows, smiles, a moving head.

    Args:
        seed: the same seed gives the same movements.
        frames: how many.
        fps: frames a second.

    Returns:
        frames×20 motion vectors; yaw stays within 25 degrees.
    """
    random = np.random.default_rng([seed, 2])

    def wander(seconds: float) -> NDArray[np.float64]:
        """Smooth noise of unit variance that changes within this time."""
        sigma = seconds * fps
        margin = math.ceil(4 * sigma)
        smooth = gaussian_filter1d(random.standard_normal(frames + 2 * margin), sigma, mode="constant")
        middle: NDArray[np.float64] = smooth[margin : margin + frames] * math.sqrt(
            2 * sigma * math.sqrt(math.pi)
        )
        return middle

    def now_and_then(seconds: float, threshold: float) -> NDArray[np.float64]:
        return np.clip((wander(seconds) - threshold) / 1.2, 0, 1)

    speaking = np.clip(0.6 + wander(0.4), 0, 1)
    syllables = np.clip(0.45 + 0.55 * wander(0.05), 0, 1) * speaking
    smile = now_and_then(0.6, 0.4)
    surprise = now_and_then(0.4, 0.5)
    units = {
        "AU01": surprise,
        "AU02": 0.8 * surprise + 0.2 * now_and_then(0.4, 0.5),
        "AU04": now_and_then(0.5, 0.7),
        "AU05": 0.4 * surprise,
        "AU06": 0.7 * smile,
        "AU07": 0.3 * smile,
        "AU09": 0.5 * now_and_then(0.4, 1.2),
        "AU10": 0.3 * now_and_then(0.3, 0.8),
        "AU12": smile,
        "AU14": 0.4 * now_and_then(0.5, 0.8),
        "AU15": 0.5 * now_and_then(0.5, 0.8) * (1 - smile),
        "AU17": 0.4 * now_and_then(0.2, 0.8) * (1 - syllables),
        "AU20": 0.5 * now_and_then(0.15, 0.5) * speaking,
        "AU23": 0.6 * now_and_then(0.15, 0.5) * speaking,
        "AU25": np.sqrt(syllables),
        "AU26": 0.7 * syllables,
        "AU45": _blinks(random, frames, fps),
    }
    for name, limit in MAX_DEGREES.items():
        angle = math.radians(limit) * np.tanh(0.8 * wander(0.7) + 0.1 * wander(0.15))
        units[name] = angle / motion.ANGLE_SCALE
    return np.stack([units[name] for name in motion.NAMES], axis=1).astype(np.float32)


def synthesize(
    out: Path,
    *,
    identities: int,
    clips: int,
    seconds: float,
    size: int,
    seed: int,
    fps: float = 25.0,
    overwrite: bool = False,
    progress: bool = True,
) -> Path:
    """Writes videos of talking heads with sound, ``OUT/<identity>/<clip>.mp4``, and their ground truth.

    ``OUT/ground_truth.parquet`` has one row a frame: ``video`` (path in OUT), ``identity``, ``frame``,
    ``time`` in seconds, ``landmarks`` (68×2 in pixels, row by row) and ``motion``. Clips are drawn in
    parallel processes; nothing appears at ``out`` before all is there.

    Args:
        out: a new or empty folder.
        identities: number of people.
        clips: videos of each.
        seconds: length of a video.
        size: side of the picture in pixels, even.
        seed: the same seed gives the same pixels.
        fps: frames a second.
        overwrite: replace what an earlier call wrote to ``out``.
        progress: show a bar.

    Returns:
        ``out``.

    Raises:
        InputError: for a number out of range, or if ``out`` is not empty and may not be replaced.
    """
    frames = round(seconds * fps) if math.isfinite(seconds * fps) else 0
    if min(identities, clips, frames) < 1 or size < 32 or size % 2 or seed < 0 or not fps > 0:
        msg = (
            f"cannot synthesize {identities} identities × {clips} clips of {seconds} s at {fps} frames/s, "
            f"size {size}, seed {seed}: all must be positive, the size even and 32 or more"
        )
        raise InputError(msg)
    with new_folder(out, marker=GROUND_TRUTH, overwrite=overwrite) as folder:
        jobs = [
            _Clip(folder, person, clip, frames, fps, size, seed)
            for person in range(identities)
            for clip in range(clips)
        ]
        pq.write_table(pa.concat_tables(_run(jobs, progress)), folder / GROUND_TRUTH)
    return out


class _Clip(NamedTuple):
    folder: Path
    person: int
    number: int
    frames: int
    fps: float
    size: int
    seed: int


def _run(jobs: Sequence[_Clip], progress: bool) -> list[pa.Table]:
    """Draws the clips in as many processes as there are cores; their tables in the jobs' order."""
    workers = min(len(jobs), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(_write_clip, job) for job in jobs]
        try:
            for future in track(
                as_completed(futures), "Drawing talking heads", total=len(jobs), disable=not progress
            ):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _write_clip(clip: _Clip) -> pa.Table:
    """Draws and encodes one video; returns its rows of the ground truth."""
    cv2.setNumThreads(1)
    identity = sample_identity(_derived(clip.seed, clip.person))
    movement = sample_motion(_derived(clip.seed, clip.person, clip.number), clip.frames, clip.fps)
    name = f"{clip.person:04d}"
    video = f"{name}/{clip.number:02d}.mp4"
    path = clip.folder / video
    path.parent.mkdir(exist_ok=True)
    points = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_rate(clip.fps), options={"crf": "18", "threads": "1"})
        stream.width = stream.height = clip.size
        stream.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        for vector in movement:
            frame = render(identity, vector, clip.size)
            points.append(frame.landmarks)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="rgb24")))
        container.mux(stream.encode())
        samples = _voice(movement, clip.fps, pitch=100 + 12 * (clip.person % 12))
        wave = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        wave.sample_rate = SOUND_RATE
        container.mux(sound.encode(wave))
        container.mux(sound.encode())
    columns = {
        "video": [video] * clip.frames,
        "identity": [name] * clip.frames,
        "frame": np.arange(clip.frames, dtype=np.int32),
        "time": np.arange(clip.frames) / clip.fps,
        "landmarks": list(np.reshape(points, (clip.frames, 136)).astype(np.float32)),
        "motion": list(movement),
    }
    return pa.table(columns, schema=_SCHEMA)


def _derived(*numbers: int) -> int:
    """A seed of its own for every combination of numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _rate(fps: float) -> Fraction:
    return Fraction(fps).limit_denominator(1001)


def _blinks(random: np.random.Generator, frames: int, fps: float) -> NDArray[np.float64]:
    """Lids that close every few seconds for a fifth of a second."""
    time = np.arange(frames) / fps
    closed = np.zeros(frames)
    blink = random.uniform(0.3, 2.0)
    while blink < frames / fps + 1:
        closed = np.maximum(closed, np.clip(1.6 - np.abs(time - blink) / 0.09, 0, 1))
        blink += random.uniform(1.2, 4.5)
    return closed


def _voice(movement: NDArray[np.float32], fps: float, pitch: float) -> NDArray[np.float32]:
    """A hummed tone that is as loud as the jaw is open and climbs with it."""
    jaw = movement[:, motion.NAMES.index("AU26")].astype(float)
    time = np.arange(round(len(jaw) / fps * SOUND_RATE)) / SOUND_RATE
    loud = np.interp(time * fps, np.arange(len(jaw)), jaw)
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.3 * loud)) / SOUND_RATE
    tone = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 6))
    return np.asarray(0.3 * loud * tone, dtype=np.float32)
