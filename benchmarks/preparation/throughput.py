"""Measure the throughput and the memory of ``facegan prepare videos``, and profile its steps.

``python benchmarks/preparation/throughput.py --source VIDEOS --out DIR``
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2

from facegan.preparation import PrepareConfig, find_videos, prepare_videos

STEPS = {
    "decoding (twice) and shot detection": [("video_reader.py", "frames")],
    "face detection and landmarks": [("face_analyzer.py", "__call__")],
    "tracking": [("face_tracker.py", "update")],
    "segmentation": [("face_parser.py", "__call__")],
    "cropping": [("crop.py", "cut")],
    "JPEG and PNG encoding": [("crop_tracks.py", "_encode_crop")],
    "hashing": [("video_manifest.py", "hash_clip")],
    "writing Parquet": [
        (name, step) for name in ("shard_writer.py",) for step in ("write", "close", "read_track")
    ],
    "report": [("dataset_report.py", "write_report")],
    "loading models": [("face_analyzer.py", "__init__"), ("face_parser.py", "__init__")],
}
"""Functions of each step; none calls one of another step."""


def main() -> None:
    """Print the throughput of a whole run, and the time of each step in one process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="folder of videos")
    parser.add_argument("--out", type=Path, required=True, help="folder for the data sets")
    parser.add_argument("--size", type=int, default=256, help="size of the crops")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--profiled", type=int, default=10, help="number of profiled videos")
    given = parser.parse_args()
    measure_throughput(given.source, given.out / "whole", given.size, given.workers)
    profile(given.source, given.out / "profiled", given.size, given.profiled)


def measure_throughput(source: Path, out: Path, size: int, workers: int) -> None:
    """Run the command on all videos."""
    shutil.rmtree(out, ignore_errors=True)
    words = ["prepare", "videos", source, "--out", out, "--size", size, "--workers", workers]
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "facegan", *map(str, words)], check=False)
    seconds = time.monotonic() - began
    counts = json.loads((out / "dataset.json").read_text())["counts"]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    for name in ("videos", "frames", "crops"):
        print(f"{name}: {counts[name]}")
    print(f"seconds: {seconds:.0f}\ncrops per second: {counts['crops'] / seconds:.1f}")
    print(f"peak MB of the largest process: {peak:.0f}\n")


def profile(source: Path, out: Path, size: int, count: int) -> None:
    """Profile the preparation of some videos in this process."""
    cv2.setNumThreads(1)  # as in a worker
    found = find_videos(source)
    step = max(1, len(found.clips) // count)
    some = replace(found, clips=found.clips[::step][:count], skipped={})
    profiler = cProfile.Profile()
    began = time.perf_counter()
    profiler.enable()
    summary = prepare_videos(some, out, PrepareConfig(size), workers=1, overwrite=True, progress=False)
    profiler.disable()
    total = time.perf_counter() - began
    seconds = dict.fromkeys(STEPS, 0.0)
    for (path, _, function), (_, _, _, cumulative, _) in vars(pstats.Stats(profiler))["stats"].items():
        for name, functions in STEPS.items():
            if "facegan" in Path(path).parts and (Path(path).name, function) in functions:
                seconds[name] += cumulative
    seconds["other"] = total - sum(seconds.values())
    print(f"one process, {len(some.clips)} videos, {summary.total.crops} crops: seconds, %, ms per crop")
    for name, spent in sorted((seconds | {"total": total}).items(), key=lambda item: -item[1]):
        print(f"{name}: {spent:.1f}, {100 * spent / total:.1f}, {1000 * spent / summary.total.crops:.2f}")


if __name__ == "__main__":
    main()
