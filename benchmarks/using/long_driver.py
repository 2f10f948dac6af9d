"""Does memory grow with the length of a driver, and do sound and picture stay together?

``python benchmarks/using/long_driver.py --model M --source IMG --driving CLIP --out DIR`` repeats a clip
until it lasts ten minutes, with a sound of random bursts, reenacts it and its tenth part with the command,
each in a fresh process, and compares times and sounds of driver and result.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from facegan.io.video_reader import VideoReader

RATE = 48_000
BURST = 4800
"""Samples that are as loud as each other."""


def main() -> None:
    """Prints length, duration, peak memory, and how well sound and picture keep together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--source", type=Path, required=True, help="photograph")
    parser.add_argument("--driving", type=Path, required=True, help="clip that is repeated")
    parser.add_argument("--out", type=Path, required=True, help="folder for drivers and results")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--engine", default="torch")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    table = Table(
        "minutes", "frames", "seconds", "frames a second", "peak MB", "sounds apart, samples", "times"
    )
    for minutes in (given.minutes / 10, given.minutes):
        driver, result = (given.out / f"{name}-{minutes:g}.mp4" for name in ("driver", "result"))
        write(driver, given.driving, 60 * minutes)
        words = ["--model", given.model, "--source", given.source, "--driving", driver, "--out", result]
        began = time.monotonic()
        peak = run("reenact", *map(str, words), "--engine", given.engine, "--overwrite")
        seconds = time.monotonic() - began
        before, after = times(driver), times(result)
        same = "equal" if before == after else "different"
        frames, lag = len(after), sounds_apart(driver, result)
        numbers = f"{seconds:.0f}", f"{frames / seconds:.1f}", f"{peak:.0f}", f"{lag} samples", same
        table.add_row(f"{minutes:g}", str(frames), *numbers)
    Console(width=140).print(table)


def write(path: Path, clip: Path, seconds: float) -> None:
    """The clip again and again, with sound."""
    video = VideoReader(clip)
    loudness = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=round(video.fps), options={"preset": "veryfast"})
        sound = container.add_stream("aac", rate=RATE, layout="mono")
        count, total = 0, round(seconds * round(video.fps))
        while count < total:
            for _, _, image in islice(video.frames(), total - count):
                image = image[: len(image) // 2 * 2, : image.shape[1] // 2 * 2]
                if not count:
                    picture.height, picture.width = image.shape[:2]
                container.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
                count += 1
        container.mux(picture.encode())
        for index in range(round(seconds * RATE / BURST)):
            wave = loudness.uniform() * loudness.uniform(-1, 1, (1, BURST)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.rate, frame.pts = RATE, index * BURST
            container.mux(sound.encode(frame))
        container.mux(sound.encode())


def run(*words: str) -> float:
    """A command of facegan in a process of its own; its peak memory in MB (Linux)."""
    process = subprocess.Popen([sys.executable, "-m", "facegan", *words])
    peak = 0.0
    while process.poll() is None:
        with suppress(OSError):
            lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            peak = max([peak, *(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))])
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(process.returncode)
    return peak


def times(path: Path) -> list[float]:
    """When each frame is shown, to the millisecond."""
    with av.open(str(path)) as container:
        return sorted(
            round(float(p.pts * p.time_base), 3) for p in container.demux(video=0) if p.pts is not None
        )


def sounds_apart(first: Path, second: Path) -> int:
    """Where the cross-correlation of two sounds is greatest: 0 if neither is moved."""
    waves = []
    for path in (first, second):
        with av.open(str(path)) as container:
            waves.append(np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)]))
    count = min(map(len, waves))
    spectra = [np.fft.rfft(wave[:count], 2 * count) for wave in waves]
    place = int(np.fft.irfft(spectra[0] * spectra[1].conj()).argmax())
    return place if place < count else place - 2 * count


if __name__ == "__main__":
    main()
