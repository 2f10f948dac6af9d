"""Does memory grow with the length of a video?

``python benchmarks/preparation/long_video.py --out DIR`` writes a video of 3840×2160 and one of a tenth of
its length, a drawn head moving in both, and prepares each in a fresh process.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import av
import numpy as np
from shared import show, start, wait

from synthetic_heads import render, sample_identity, sample_motion

WIDTH, HEIGHT, HEAD = 3840, 2160, 1024
POSES = 16
PERIOD = 120
"""Seconds for the way there and back."""


def main() -> None:
    """Prints length, duration and peak memory of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for videos and data sets")
    parser.add_argument("--seconds", type=int, default=7200, help="length of the video, a frame a second")
    given = parser.parse_args()
    rows, peaks = [], []
    for seconds in (given.seconds // 10, given.seconds):
        folder = given.out / str(seconds)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "long.mp4", seconds)
        began = time.monotonic()
        out = given.out / f"{seconds}-prepared"
        process = start(folder, out, "--workers", "1", "--overwrite")
        said, status, memory = wait(process)
        duration = time.monotonic() - began
        if status:
            raise SystemExit(said)
        peaks.append(memory[process.pid])
        crops = json.loads((out / "dataset.json").read_text())["counts"]["crops"]
        rows.append((seconds, crops, f"{duration:.0f}", f"{peaks[-1]:.0f}"))
    show("one video of 3840×2160", ("frames", "crops", "seconds", "peak MB"), rows)
    print(f"memory at ten times the length: × {peaks[1] / peaks[0]:.3f}")


def write(path: Path, seconds: int) -> None:
    """Encodes frame by frame."""
    movement = sample_motion(1, POSES, 1.0)
    heads = [render(sample_identity(1), vector, HEAD).image for vector in movement.motion]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1, options={"preset": "ultrafast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for second in range(seconds):
            picture = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
            angle = 2 * math.pi * second / PERIOD
            x = round((WIDTH - HEAD) * (1 + math.sin(angle)) / 2)
            y = round((HEIGHT - HEAD) * (1 + math.cos(angle)) / 2)
            picture[y : y + HEAD, x : x + HEAD] = heads[second % POSES]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
