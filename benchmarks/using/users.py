"""Do many users at once get each their own results, and how long do they wait?

``python benchmarks/using/users.py --model MODEL --users 20`` starts ``facegan app`` and so many visits, each
with a photograph of somebody else. All edit and then move their photographs at once. Each picture and
each video's first frame is compared with what the model makes of every user's photograph, and must be
nearest to that of its own user. In the end nothing of them may be left on the server.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import files
import numpy as np
from client import Browser
from page import serving, show
from PIL import Image

from facegan.inference import Animator, reenact
from facegan.inference.edit import edit

FRAMES = 12
SECONDS_TO_TIDY = 60


@dataclass
class User:
    """What one user got."""

    edited: np.ndarray | None = None
    moved: list[np.ndarray] = field(default_factory=list)
    edit_seconds: float = 0.0
    move_seconds: float = 0.0
    leaks: list[str] = field(default_factory=list)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--users", type=int, default=20)
    given = parser.parse_args()
    photographs = [files.head(100 + number) for number in range(given.users)]
    driver = files.film(files.heads(FRAMES))
    start = threading.Barrier(given.users)
    with serving(given.model) as server:
        with ThreadPoolExecutor(given.users) as pool:
            users = list(
                pool.map(lambda photograph: visit(server.address, photograph, driver, start), photographs)
            )
        left = tidied(server)
        memory = server.memory()
    edits, videos = truths(given.model, photographs, driver)
    own_edits = sum(nearest(user.edited, edits) == number for number, user in enumerate(users))
    own_videos = sum(nearest(user.moved[-1], videos) == number for number, user in enumerate(users))
    waits = [("edit", [u.edit_seconds for u in users]), ("move", [u.move_seconds for u in users])]
    rows = [(name, *(f"{f(times):.1f}" for f in (min, np.median, max))) for name, times in waits]
    show(f"{given.users} users at once, seconds", ("", "shortest", "median", "longest"), rows)
    print(
        f"{own_edits} of {len(users)} pictures and {own_videos} of {len(users)} videos are their user's own"
    )
    print(
        f"{sum(len(user.leaks) for user in users)} paths or traces told; {left} files left after the visits"
    )
    print(f"{memory:.0f} MB of memory at the most")
    good = own_edits == own_videos == len(users) and not left and not any(user.leaks for user in users)
    raise SystemExit(not good)


def visit(address: str, photograph: Image.Image, driver: bytes, start: threading.Barrier) -> User:
    """One user's visit."""
    user = User()
    with Browser(address) as browser:
        start.wait()
        began = time.monotonic()
        mine = browser.upload("me.png", files.encoded(photograph, "PNG"))
        outputs: list[Any] = browser.trigger("photograph", "change", photograph=mine)
        user.edited = decode(browser.file(outputs[-2]))
        user.edit_seconds = time.monotonic() - began
        start.wait()
        began = time.monotonic()
        follow = browser.upload("driver.mp4", driver)
        outputs = browser.trigger("move", "click", photograph=mine, driving_video=follow)
        user.moved = frames(browser.file(outputs[-1]))
        user.move_seconds = time.monotonic() - began
        user.leaks = browser.leaks()
        start.wait()
    return user


def tidied(server: Any) -> int:
    """Files that are left when the visits have ended and some time has gone by."""
    until = time.monotonic() + SECONDS_TO_TIDY
    while (left := len(server.files())) and time.monotonic() < until:
        time.sleep(1)
    return left


def truths(
    model: str, photographs: list[Image.Image], driver: bytes
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What the model makes of each photograph: the edited picture, and the video's last frame."""
    animator = Animator.from_pretrained(model)
    edits, videos = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "driver.mp4").write_bytes(driver)
        for number, photograph in enumerate(photographs):
            photograph.save(folder / f"{number}.png")
            edits.append(edit(animator, animator.prepare(np.asarray(photograph)), {}))
            out = folder / f"{number}.mp4"
            reenact(animator, folder / f"{number}.png", folder / "driver.mp4", out, progress=False)
            videos.append(frames(out.read_bytes())[-1])
    return edits, videos


def nearest(image: np.ndarray | None, others: list[np.ndarray]) -> int:
    """Which of the others an image is most like."""
    assert image is not None
    return int(np.argmin([np.abs(image.astype(float) - other).mean() for other in others]))


def decode(data: bytes) -> np.ndarray:
    """A picture, H×W×3."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def frames(data: bytes) -> list[np.ndarray]:
    """Of a video."""
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


if __name__ == "__main__":
    main()
