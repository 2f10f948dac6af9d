"""How often the invisible mark is found, where it is and where it is not, and how visible it is.

``python benchmarks/marks/measure.py --out runs/marks`` draws heads;
``--pictures DIR`` takes the pictures and clips in a folder instead.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import cv2
import joblib
import numpy as np
import torch
from attacks import attacks, h264
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torchmetrics.functional.image import structural_similarity_index_measure

from facegan.errors import InputError
from facegan.io.images import center_crop, is_image, read_image
from facegan.io.video_reader import VideoReader
from facegan.provenance.watermark import THRESHOLD, WatermarkDetector, embed_watermark, key_signs
from synthetic_heads import render, sample_identity, sample_motion

if TYPE_CHECKING:
    from attacks import Images

DRAWN = 256
"""Side in which heads are drawn; smaller ones are made of these."""
TIMED = ((128, 128), (256, 256), (512, 512), (1920, 1080), (3840, 2160))


def main() -> None:
    """Prints tables and writes ``marks.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for marks.json")
    parser.add_argument("--pictures", type=Path, help="folder of pictures and clips, in place of drawn heads")
    parser.add_argument("--count", type=int, default=500, help="pictures")
    parser.add_argument("--clips", type=int, default=24, help="clips")
    parser.add_argument("--frames", type=int, default=50, help="of a clip, at most")
    parser.add_argument("--keys", type=int, default=2000, help="other keys, for the false alarms")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--seed", type=int, default=0, help="of the drawn heads")
    given = parser.parse_args()
    if given.pictures:
        pictures, clips = found(given.pictures, given.count, given.clips, given.frames)
    else:
        pictures, clips = drawn(given.count, given.clips, given.frames, given.seed)
    results: dict[str, Any] = {"threshold": THRESHOLD, "milliseconds": times()}
    for size in given.sizes:
        images = [center_crop(image, size) for image in pictures]
        results[str(size)] = {
            "pictures": of_pictures(images, given.keys),
            "clips": of_clips([[center_crop(image, size) for image in clip] for clip in clips]),
        }
        show(size, results[str(size)])
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "marks.json").write_text(json.dumps(results, indent=2) + "\n")
    Console().print(f"milliseconds to mark a frame: {results['milliseconds']}")


def of_pictures(images: Images, keys: int) -> dict[str, Any]:
    """Single pictures: found after each attack, false alarms, and what is seen of the mark."""
    marked = [embed_watermark(image) for image in images]
    found = {name: summary(map(score, attack(marked))) for name, attack in attacks(keyframes=True).items()}
    null = np.array([score(image) for image in images])
    others = np.concatenate([other_scores(image, keys) for image in images])
    errors = np.array([np.mean((a.astype(float) - b) ** 2) for a, b in zip(images, marked, strict=True)])
    decibels = 10 * np.log10(255**2 / errors)
    similarity = [similarities(a, b) for a, b in zip(images, marked, strict=True)]
    return {
        "count": len(images),
        "found": found,
        "unmarked": {
            "alarms": int((null > THRESHOLD).sum()),
            "mean": float(null.mean()),
            "deviation": float(null.std()),
            "highest": float(null.max()),
        },
        "other_keys": {
            "scores": len(others),
            "alarms": int((others > THRESHOLD).sum()),
            "deviation": float(others.std()),
            "above_4": int((others > 4).sum()),
            "expected_above_4": len(others) * math.erfc(4 / math.sqrt(2)) / 2,
            "highest": float(others.max()),
        },
        "psnr": {"mean": float(decibels.mean()), "least": float(decibels.min())},
        "ssim": {"mean": float(np.mean(similarity)), "least": float(np.min(similarity))},
    }


def of_clips(clips: list[Images]) -> dict[str, Any]:
    """Clips as ``facegan reenact`` writes them (crf 18), and after another round; all frames together."""
    written = [h264([embed_watermark(image) for image in clip], 18) for clip in clips]
    tests = attacks(keyframes=False)
    names = [name for name in tests if "JPEG" not in name and name != "H.264 crf 18"]
    found = {name: summary(score(*tests[name](clip)) for clip in written) for name in names}
    null = [score(*clip) for clip in clips]
    alarms = sum(value > THRESHOLD for value in null)
    return {"count": len(clips), "found": found, "unmarked": {"alarms": alarms, "highest": max(null)}}


def score(*images: np.ndarray) -> float:
    """Of all together."""
    detector = WatermarkDetector()
    for image in images:
        detector.add(image)
    return detector.score


def other_scores(image: np.ndarray, keys: int) -> np.ndarray:
    """Of an unmarked picture with keys that mark nothing."""
    detector = WatermarkDetector()
    detector.add(image)
    return other_signs(keys) @ detector.evidence


@functools.cache
def other_signs(keys: int) -> np.ndarray:
    """A row for each key."""
    return np.stack([key_signs(f"no mark has this key: {index}") for index in range(keys)])


def summary(scores: Any) -> dict[str, float]:
    """Share found, and the scores' median and 5th percentile."""
    values = np.array(list(scores))
    low, middle = np.percentile(values, (5, 50))
    return {"share": float((values > THRESHOLD).mean()), "median": float(middle), "p5": float(low)}


def similarities(image: np.ndarray, other: np.ndarray) -> float:
    """SSIM."""
    pair = (torch.from_numpy(x).permute(2, 0, 1)[None].float() for x in (image, other))
    return float(structural_similarity_index_measure(*pair, data_range=255.0))


def times() -> dict[str, float]:
    """Milliseconds that marking a frame takes, by its size."""
    milliseconds = {}
    for width, height in TIMED:
        image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        embed_watermark(image)
        took = []
        for _ in range(9):
            began = perf_counter()
            embed_watermark(image)
            took.append(perf_counter() - began)
        milliseconds[f"{width}×{height}"] = round(1000 * float(np.median(took)), 1)
    return milliseconds


def drawn(count: int, clips: int, frames: int, seed: int) -> tuple[Images, list[Images]]:
    """Heads of different people, and clips of others who move."""
    work = joblib.Parallel(n_jobs=-1, return_as="generator")
    jobs = (joblib.delayed(draw)(seed + index, 1) for index in range(count))
    pictures = [images[0] for images in track(work(jobs), "pictures", total=count, console=stderr())]
    jobs = (joblib.delayed(draw)(seed + count + index, frames) for index in range(clips))
    return pictures, list(track(work(jobs), "clips", total=clips, console=stderr()))


def draw(seed: int, frames: int) -> Images:
    """Frames of somebody who moves."""
    identity = sample_identity(seed)
    return [render(identity, motion, DRAWN).image for motion in sample_motion(seed, frames, 25).motion]


def found(folder: Path, count: int, clips: int, frames: int) -> tuple[Images, list[Images]]:
    """Pictures and frames of the clips in a folder, as many of each file; and the beginnings of clips."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stills, videos = [], []
    for path in files:
        try:
            if is_image(path):
                stills.append(read_image(path))
            else:
                videos.append(VideoReader(path))
        except InputError:
            continue
    each = math.ceil(max(count - len(stills), 0) / max(len(videos), 1))
    pictures = stills
    for video in track(videos, "frames", console=stderr()):
        images = [image for _, _, image in video.frames()]
        pictures += [images[int(index)] for index in np.linspace(0, len(images) - 1, each)]
    chosen = videos[:: max(len(videos) // max(clips, 1), 1)][:clips]
    return pictures, [[image for _, _, image in video.frames()][:frames] for video in chosen]


def show(size: int, results: dict[str, Any]) -> None:
    """Prints the tables of a size."""
    pictures, clips = results["pictures"], results["clips"]
    table = Table(title=f"{size} px: found, and the score's median (5th percentile)", title_justify="left")
    for title in ("", f"{pictures['count']} pictures", f"{clips['count']} clips, written with crf 18, then"):
        table.add_column(title)
    for name in pictures["found"]:
        table.add_row(name, *(cell(kind["found"].get(name)) for kind in (pictures, clips)))
    table.add_row("no mark: false alarms", *(str(kind["unmarked"]["alarms"]) for kind in (pictures, clips)))
    console = Console(width=110)
    console.print(table)
    for name in ("unmarked", "other_keys", "psnr", "ssim"):
        console.print(f"{name}: {pictures[name]}")


def cell(values: dict[str, float] | None) -> str:
    """A cell of the table."""
    return f"{values['share']:.1%}  {values['median']:.1f} ({values['p5']:.1f})" if values else ""


stderr = functools.partial(Console, stderr=True)

if __name__ == "__main__":
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    main()
