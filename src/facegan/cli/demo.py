"""``make demo``: the whole path in a small size, by the commands that a user would type."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

STAGES = {
    "1_landmark_transform": "00:00:00:45",
    "2_reenact_128": "00:00:02:30",
    "2_reenact": "00:00:01:30",
    "3_background_mix": "00:00:01:15",
    "4_joint": "00:00:02:00",
}
"""What is trained, and how long at most (days:hours:minutes:seconds)."""

STARTS_FROM = {
    "reenact": {"global": "reenact_128"},
    "background_mix": {"reenact": "reenact"},
    "joint": {"landmark": "landmark_transform", "reenact": "reenact", "background": "background_mix"},
}
"""The checkpoints that a stage needs, and the folders of their runs."""


def main() -> int:
    """Runs the commands one after the other and says where the results lie.

    Returns:
        The status of the first command that failed, or 0.
    """
    parser = argparse.ArgumentParser(prog="python -m facegan.cli.demo", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/demo"), help="folder for everything")
    parser.add_argument("--input", type=Path, help="folder of your own videos; by default drawn heads")
    given = parser.parse_args()
    began = time.perf_counter()
    try:
        _run_all(given.out, given.input)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"the demo stopped: {shlex.join(error.cmd[2:])} exited with {error.returncode}\n")
        return int(error.returncode)
    results = {
        "reenacted video": "reenacted.mp4",
        "its portrait": "portrait.png",
        "report and pictures": "report/report.html",
        "training's pictures": "joint/panels",
        "model": "model",
    }
    say(f"\nDone in {(time.perf_counter() - began) / 60:.1f} minutes:")
    for title, name in results.items():
        say(f"  {title:<20} {given.out / name}")
    return 0


def _run_all(out: Path, videos: Path | None) -> None:
    facegan("assets", "--fetch")
    truth: tuple[str, ...] = ()
    if videos is None:
        videos = out / "videos"
        truth = ("--truth", str(videos))
        # Six of them are kept out for validation, six for the test.
        facegan(
            *("synthesize", "--identities", "60", "--clips", "1", "--seconds", "2", "--size", "256"),
            *("--out", str(videos), "--overwrite"),
        )
    data = out / "data"
    facegan("prepare", "videos", str(videos), "--out", str(data), "--size", "128", "--overwrite")
    for stage in STAGES:
        fit(stage, out, data)
    model = out / "model"
    facegan("bundle", str(out / "joint/checkpoints/last.ckpt"), "--out", str(model), "--overwrite")
    report = out / "report"
    facegan(
        *("evaluate", "--model", str(model), "--data", str(data), "--out", str(report)),
        *("--pairs", "60", *truth, "--overwrite"),
    )
    source, driving = choose(data, videos)
    portrait = out / "portrait.png"
    save_first_frame(source, portrait)
    facegan(
        *("reenact", "--model", str(model), "--source", str(portrait), "--driving", str(driving)),
        *("--out", str(out / "reenacted.mp4"), "--overwrite"),
    )


def fit(stage: str, out: Path, data: Path) -> None:
    """Trains a stage with the small overlay, into ``out``."""
    name = stage.partition("_")[2]
    files = ("lightning_config.yaml", f"stages/{stage}.yaml", f"stages/small/{stage}.yaml")
    settings = [
        f"--data.init_args.root={data}",
        f"--trainer.default_root_dir={out / name}",
        f"--trainer.max_time={STAGES[stage]}",
        "--data.init_args.validation_pairs=40",
    ]
    settings += [
        f"--model.init_args.{role}_checkpoint={out / folder / 'checkpoints/last.ckpt'}"
        for role, folder in STARTS_FROM.get(name, {}).items()
    ]
    facegan("fit", *(word for file in files for word in ("-c", file)), *settings)


def choose(data: Path, videos: Path) -> tuple[Path, Path]:
    """A video of somebody kept out of training, and a driver of somebody else."""
    from facegan.data import FaceCrops
    from facegan.preparation import find_videos

    files = {clip.video: clip.path for clip in find_videos(videos).clips}
    everybody, kept_out = FaceCrops(data), FaceCrops(data, "test")
    source = (kept_out if len(kept_out) else everybody).video[0]
    identity = everybody.identity[everybody.video == source][0]
    others = everybody.video[everybody.identity != identity]
    driver = others[0] if len(others) else source
    return files[str(source)], files[str(driver)]


def save_first_frame(video: Path, out: Path) -> None:
    """The portrait for the demo."""
    from facegan.io.images import write_image
    from facegan.io.video_reader import VideoReader

    _, _, image = next(VideoReader(video).frames())
    write_image(out, image)


def facegan(*arguments: str) -> None:
    """Shows a command and runs it.

    Raises:
        CalledProcessError: if it fails.
    """
    say(f"\n$ facegan {shlex.join(arguments)}")
    subprocess.run([sys.executable, "-m", "facegan", *arguments], check=True)


def say(line: str) -> None:
    """Prints at once, between the output of the commands."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
