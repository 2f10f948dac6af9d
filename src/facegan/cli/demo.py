"""``facegan demo``."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path

from facegan.cli.console import echo
from facegan.errors import InputError

STAGES = {
    "1_landmark_transform": "00:00:01:15",
    "2_reenact_128": "00:00:01:45",
    "2_reenact": "00:00:01:45",
    "3_background_mix": "00:00:01:15",
    "4_joint": "00:00:02:00",
}
"""Training stages and the maximum training time of each (days:hours:minutes:seconds)."""

WITHOUT_PROTOCOLS = ("landmark_transform", "background_mix")
"""Runs whose validation has no evaluation protocols."""

STARTS_FROM = {
    "reenact": {"global": "reenact_128"},
    "background_mix": {"reenact": "reenact"},
    "joint": {"landmark": "landmark_transform", "reenact": "reenact", "background": "background_mix"},
}
"""Checkpoints that a stage starts from, as the folders of their runs."""

RESULTS = {
    "reenacted video": "reenacted.mp4",
    "source image": "portrait.png",
    "evaluation report": "report/report.html",
    "validation images": "joint/images",
    "model": "model",
}


def demo(*, out: Path = Path("runs/demo"), input_: Path | None = None) -> int:
    """Run the whole pipeline in a small size: data, training, model, report, reenacted video.

    Reads lightning_config.yaml and stages/ in the current folder. Training takes at most eight minutes.

    Example:
        facegan demo --out runs/demo

    Args:
        out: Folder for all results.
        input_: Folder of your own videos; by default synthetic talking heads.
    """
    if not Path("lightning_config.yaml").is_file():
        msg = "no lightning_config.yaml here: run facegan demo in a clone of the repository"
        raise InputError(msg)
    start = time.perf_counter()
    try:
        _run_pipeline(out, input_)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"facegan: {shlex.join(error.cmd[2:])} exited with {error.returncode}\n")
        return int(error.returncode)
    echo(f"\nDone in {(time.perf_counter() - start) / 60:.1f} minutes:")
    for title, name in RESULTS.items():
        echo(f"  {title:<20} {out / name}")
    return 0


def _run_pipeline(out: Path, videos: Path | None) -> None:
    _facegan("assets", "--fetch")
    ground_truth: tuple[str, ...] = ()
    if videos is None:
        videos = out / "videos"
        ground_truth = ("--truth", str(videos))
        # Six identities are held out for validation, six for the test.
        _facegan(
            *("synthesize", "--identities", "60", "--clips", "1", "--seconds", "2", "--size", "256"),
            *("--out", str(videos), "--overwrite"),
        )
    data = out / "data"
    _facegan("prepare", "videos", str(videos), "--out", str(data), "--size", "128", "--overwrite")
    for stage in STAGES:
        _fit(stage, out, data)
    model = out / "model"
    _facegan("bundle", str(out / "joint/checkpoints/last.ckpt"), "--out", str(model), "--overwrite")
    _facegan(
        *("evaluate", "--model", str(model), "--data", str(data), "--out", str(out / "report")),
        *("--pairs", "60", *ground_truth, "--overwrite"),
    )
    source, frame, driving = _select_videos(data, videos)
    portrait = out / "portrait.png"
    _save_frame(source, frame, portrait)
    _facegan(
        *("reenact", "--model", str(model), "--source", str(portrait), "--driving", str(driving)),
        *("--out", str(out / "reenacted.mp4"), "--overwrite"),
    )


def _fit(stage: str, out: Path, data: Path) -> None:
    """Train a stage with its small overlay."""
    name = stage.partition("_")[2]
    files = ("lightning_config.yaml", f"stages/{stage}.yaml", f"stages/small/{stage}.yaml")
    settings = [
        f"--data.init_args.root={data}",
        f"--trainer.default_root_dir={out / name}",
        f"--trainer.max_time={STAGES[stage]}",
        "--data.init_args.validation_pairs=40",
    ]
    if name not in WITHOUT_PROTOCOLS:
        settings.append("--data.init_args.protocol_pairs=16")
    settings += [
        f"--model.init_args.{role}_checkpoint={out / folder / 'checkpoints/last.ckpt'}"
        for role, folder in STARTS_FROM.get(name, {}).items()
    ]
    _facegan("fit", *(word for file in files for word in ("-c", file)), *settings)


def _select_videos(data: Path, videos: Path) -> tuple[Path, int, Path]:
    """Return a video of a held-out identity, its frame nearest to neutral, and a driving video of another."""
    from facegan.data import FaceCrops
    from facegan.preparation import find_videos

    files = {clip.video: clip.path for clip in find_videos(videos).clips}
    crops, held_out = FaceCrops(data), FaceCrops(data, "test")
    candidates = held_out if len(held_out) else crops
    portrait = int((candidates.motion**2).sum(axis=1).argmin())
    source, identity = candidates.video[portrait], candidates.identity[portrait]
    others = crops.video[crops.identity != identity]
    driving = others[0] if len(others) else source
    return files[str(source)], int(candidates.frame[portrait]), files[str(driving)]


def _save_frame(video: Path, frame: int, out: Path) -> None:
    from facegan.io.images import write_image
    from facegan.io.video_reader import VideoReader

    write_image(out, next(image for index, _, image in VideoReader(video).frames() if index == frame))


def _facegan(*arguments: str) -> None:
    """Print a command and run it in a process of its own."""
    echo(f"\n$ facegan {shlex.join(arguments)}")
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "facegan", *arguments], check=True)
