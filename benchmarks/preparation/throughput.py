"""How fast is the preparation, where does the time go, and how much memory does it take?

``python benchmarks/preparation/throughput.py --source VIDEOS --out DIR`` prepares all videos with the
command, then some of them once more in this process under Python's profiler.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import shutil
import time
from dataclasses import replace
from pathlib import Path

import cv2
from shared import show, start, wait

from facegan.preparation import Settings, find_videos, prepare_videos

STEPS = {
    "decoding, twice, and finding cuts": [("video.py", "frames")],
    "faces and landmarks": [("face.py", "__call__")],
    "following faces": [("tracker.py", "update"), ("tracker.py", "look")],
    "segmentation": [("parsing.py", "__call__")],
    "cutting": [("crop.py", "cut")],
    "JPEG and PNG": [("clip.py", "_encode")],
    "hashing": [("manifest.py", "digest")],
    "writing Parquet": [("writer.py", "write"), ("writer.py", "close"), ("writer.py", "read_part")],
    "the page": [("report.py", "write_report")],
    "loading models": [("face.py", "__init__"), ("parsing.py", "__init__")],
}
"""What is measured, and the functions in which it happens; none calls one of another."""


def main() -> None:
    """Prints the speed of a whole run, the memory of its processes, and the share of each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="folder of videos")
    parser.add_argument("--out", type=Path, required=True, help="folder for the data sets")
    parser.add_argument("--size", type=int, default=256, help="side of the crops")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--profiled", type=int, default=10, help="videos that are profiled")
    given = parser.parse_args()
    whole(given.source, given.out / "whole", given.size, given.workers)
    profile(given.source, given.out / "profiled", given.size, given.profiled)


def whole(source: Path, out: Path, size: int, workers: int) -> None:
    """The command over all videos."""
    shutil.rmtree(out, ignore_errors=True)
    began = time.monotonic()
    process = start(source, out, "--size", str(size), "--workers", str(workers))
    said, status, peaks = wait(process)
    duration = time.monotonic() - began
    if not (out / "dataset.json").is_file():
        raise SystemExit(f"exit status {status}: {said}")
    counts = json.loads((out / "dataset.json").read_text())["counts"]
    own = peaks.pop(process.pid)
    rows = [
        ("videos", counts["videos"]),
        ("frames", counts["frames"]),
        ("crops", counts["crops"]),
        ("seconds", f"{duration:.0f}"),
        ("crops a second", f"{counts['crops'] / duration:.1f}"),
        ("peak MB of the largest worker", f"{max(peaks.values(), default=own):.0f}"),
        ("peak MB of the command's own process", f"{own:.0f}"),
    ]
    show(f"a whole run, crops of {size} pixels, {workers} workers", ("", ""), rows)


def profile(source: Path, out: Path, size: int, count: int) -> None:
    """Where the time of one worker goes."""
    cv2.setNumThreads(1)  # as in a worker
    found = find_videos(source)
    step = max(1, len(found.clips) // count)
    some = replace(found, clips=found.clips[::step][:count], skipped={})
    profiler = cProfile.Profile()
    began = time.perf_counter()
    profiler.enable()
    summary = prepare_videos(some, out, Settings(size), workers=1, overwrite=True, progress=False)
    profiler.disable()
    total = time.perf_counter() - began
    spent = dict.fromkeys(STEPS, 0.0)
    measured = vars(pstats.Stats(profiler))["stats"]
    for (path, _, function), (_, _, _, cumulative, _) in measured.items():
        for name, places in STEPS.items():
            if "facegan" in Path(path).parts and (Path(path).name, function) in places:
                spent[name] += cumulative
    spent["everything else"] = total - sum(spent.values())
    rows = [
        (
            name,
            f"{seconds:.1f}",
            f"{100 * seconds / total:.1f}",
            f"{1000 * seconds / summary.total.crops:.2f}",
        )
        for name, seconds in sorted(spent.items(), key=lambda item: -item[1])
    ]
    rows.append(("all", f"{total:.1f}", "100.0", f"{1000 * total / summary.total.crops:.2f}"))
    title = f"one worker, {len(some.clips)} videos, {summary.total.crops} crops"
    show(title, ("", "seconds", "%", "ms a crop"), rows)


if __name__ == "__main__":
    main()
