"""Detection rate, false positives, visibility and speed of the watermark.

``python benchmarks/watermark/robustness.py`` marks synthetic heads; with ``--images DIR`` it marks the images
and videos of a folder.
"""

from __future__ import annotations

import argparse
import functools
import io
import math
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

import av
import cv2
import joblib
import numpy as np
import torch
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from facegan.errors import InputError
from facegan.io.images import center_crop, is_image, read_image
from facegan.io.video_reader import VideoReader
from facegan.io.video_writer import BT709
from facegan.provenance.watermark import THRESHOLD, WatermarkDetector, embed_watermark, key_signs
from synthetic_heads import render, sample_identity, sample_motion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Images: TypeAlias = "list[np.ndarray]"

SIZES = (128, 256)
TIMED_SIZES = ((128, 128), (256, 256), (512, 512), (1920, 1080), (3840, 2160))
TIMED_ROUNDS = 9


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--images", type=Path, help="folder of images and videos, in place of synthetic heads"
    )
    parser.add_argument("--count", type=int, default=500, help="number of images")
    parser.add_argument("--clips", type=int, default=24, help="number of clips")
    parser.add_argument("--frames", type=int, default=50, help="frames per clip")
    parser.add_argument("--keys", type=int, default=2000, help="keys that nothing was marked with")
    options = parser.parse_args()
    load = functools.partial(read_folder, options.images) if options.images else render_heads
    images, clips = load(options.count, options.clips, options.frames)
    for size in SIZES:
        print(f"\n{size} px: {len(images)} images, {len(clips)} clips")
        evaluate_images([center_crop(image, size) for image in images], options.keys)
        if clips:
            evaluate_clips([[center_crop(image, size) for image in clip] for clip in clips])
    print()
    for width, height in TIMED_SIZES:
        print(f"{width}×{height}: {measure_milliseconds(width, height):.1f} ms per frame")


def evaluate_images(images: Images, keys: int) -> None:
    """Print detection rates after transformations, false positives and image quality."""
    marked = [embed_watermark(image) for image in images]
    for name, transform in transformations(keyframes=True).items():
        print_rate(f"image, {name}", map(score, transform(marked)))
    print_rate("image, unmarked", map(score, images))
    signs = np.stack([key_signs(f"no mark has this key: {index}") for index in range(keys)])
    scores = np.concatenate([signs @ collect(image).evidence for image in images])
    expected = len(scores) * math.erfc(4 / math.sqrt(2)) / 2
    print(
        f"{len(scores)} scores with other keys: standard deviation {scores.std():.3f}, "
        f"{(scores > 4).sum()} above 4 (expected {expected:.0f}), {(scores > THRESHOLD).sum()} detected"
    )
    pairs = [(to_levels(a), to_levels(b)) for a, b in zip(marked, images, strict=True)]
    psnr = [float(peak_signal_noise_ratio(*pair, data_range=255.0)) for pair in pairs]
    ssim = [float(structural_similarity_index_measure(*pair, data_range=255.0)) for pair in pairs]
    print(f"PSNR {np.mean(psnr):.1f} dB (minimum {min(psnr):.1f})")
    print(f"SSIM {np.mean(ssim):.3f} (minimum {min(ssim):.3f})")


def evaluate_clips(clips: list[Images]) -> None:
    """Print detection rates over all frames of clips.

    Before each transformation the clips are encoded with crf 18, as ``facegan reenact`` does.
    """
    written = [encode_h264([embed_watermark(image) for image in clip], 18) for clip in clips]
    for name, transform in transformations(keyframes=False).items():
        if "JPEG" not in name and name != "H.264 crf 18":
            print_rate(f"clip, {name}", (score(*transform(clip)) for clip in written))
    print_rate("clip, unmarked", (score(*clip) for clip in clips))


def to_levels(image: np.ndarray) -> torch.Tensor:
    """Convert an image to 1×3×H×W in 0..255, not -1..1: SSIM depends on the mean."""
    return torch.from_numpy(image).permute(2, 0, 1)[None].float()


def print_rate(name: str, scores: Iterable[float]) -> None:
    """Print the fraction of scores above the threshold."""
    detected = np.array(list(scores)) > THRESHOLD
    print(f"{name}: {detected.sum()} of {len(detected)}, {100 * detected.mean():.1f} %")


def score(*images: np.ndarray) -> float:
    """Compute the score over all images together."""
    return collect(*images).score


def collect(*images: np.ndarray) -> WatermarkDetector:
    """Add images to a detector."""
    detector = WatermarkDetector()
    for image in images:
        detector.add(image)
    return detector


def measure_milliseconds(width: int, height: int) -> float:
    """Measure the median milliseconds that marking a frame takes."""
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    embed_watermark(image)  # prepares the pattern of this size
    times = []
    for _ in range(TIMED_ROUNDS):
        start = perf_counter()
        embed_watermark(image)
        times.append(perf_counter() - start)
    return 1000 * float(np.median(times))


def transformations(*, keyframes: bool) -> dict[str, Callable[[Images], Images]]:
    """Return the transformations by name; with ``keyframes`` every frame is encoded by itself."""

    def encode(crf: int, images: Images) -> Images:
        return encode_h264(images, crf, keyframes=keyframes)

    def halve_and_encode(crf: int, images: Images) -> Images:
        return encode(crf, halve(images))

    crfs = (18, 23, 28)
    return {
        "as is": list,
        **{f"H.264 crf {crf}": functools.partial(encode, crf) for crf in crfs},
        "half size": halve,
        **{f"half size, H.264 crf {crf}": functools.partial(halve_and_encode, crf) for crf in crfs},
        **{f"JPEG {quality}": functools.partial(encode_jpeg, quality) for quality in (75, 50)},
    }


def encode_h264(images: Images, crf: int, *, keyframes: bool = False) -> Images:
    """Encode as :class:`facegan.io.video_writer.VideoWriter` does, at another quality, and decode."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as container:
        options = {"crf": str(crf)} | ({"g": "1"} if keyframes else {})
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = ColorRange.MPEG
        for image in images:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    memory.seek(0)
    with av.open(memory) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def encode_jpeg(quality: int, images: Images) -> Images:
    """Encode every image as JPEG and decode."""
    files = [io.BytesIO() for _ in images]
    for file, image in zip(files, images, strict=True):
        Image.fromarray(image).save(file, "jpeg", quality=quality)
    return [np.array(Image.open(file)) for file in files]


def halve(images: Images) -> Images:
    """Resize to half the size."""
    return [cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for image in images]


def render_heads(count: int, clips: int, frames: int) -> tuple[Images, list[Images]]:
    """Render images of different synthetic identities, and clips of others."""
    lengths = [1] * count + [frames] * clips
    jobs = (joblib.delayed(_render_clip)(seed, length) for seed, length in enumerate(lengths))
    rendered = joblib.Parallel(n_jobs=-1)(jobs)
    return [images[0] for images in rendered[:count]], rendered[count:]


def _render_clip(seed: int, frames: int) -> Images:
    identity = sample_identity(seed)
    return [render(identity, motion, max(SIZES)).image for motion in sample_motion(seed, frames, 25).motion]


def read_folder(folder: Path, count: int, clips: int, frames: int) -> tuple[Images, list[Images]]:
    """Read images and clips from a folder.

    Returns:
        The images of the folder with evenly spaced frames of its videos; and the first frames of some videos.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    images, videos = [], []
    for path in files:
        try:
            if is_image(path):
                images.append(read_image(path))
            else:
                videos.append(VideoReader(path))
        except InputError as error:
            print(f"skipped: {error}")
    per_video = math.ceil(max(count - len(images), 0) / max(len(videos), 1))
    for video in videos:
        read = [image for _, _, image in video.frames()]
        images += [read[int(index)] for index in np.linspace(0, len(read) - 1, per_video)]
    chosen = videos[:: max(len(videos) // max(clips, 1), 1)][:clips]
    return images, [[image for _, _, image in video.frames()][:frames] for video in chosen]


if __name__ == "__main__":
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    main()
