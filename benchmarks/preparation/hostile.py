"""Does a folder with hostile files stop the preparation?

``python benchmarks/preparation/hostile.py --out DIR`` draws short videos and puts a hostile file beside
every nine, runs ``facegan prepare videos``, and looks for each file in what the data set says of its input.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from shared import show, start, wait

from facegan.preparation.synthesize import synthesize

if TYPE_CHECKING:
    from collections.abc import Callable

CLIPS_EACH = 10
"""Videos of a person."""
DONE = (0, 3)
"""Exit status: all used, or a part of the input was bad."""


def main() -> None:
    """Prints what became of each kind of file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for videos and data set")
    parser.add_argument("--clips", type=int, default=1000, help="files, a tenth of them hostile")
    given = parser.parse_args()
    videos, out = given.out / "videos", given.out / "prepared"
    people = max(1, round(0.9 * given.clips / CLIPS_EACH))
    # At 12.5 a second: heads that move in few frames.
    synthesize(
        videos, identities=people, clips=CLIPS_EACH, seconds=0.64, fps=12.5, size=128, seed=3, overwrite=True
    )
    good = sorted(videos.rglob("*.mp4"))
    kinds = dict.fromkeys(good, "good") | spoil(videos, good, given.clips - len(good))
    began = time.monotonic()
    said, status, _ = wait(start(videos, out, "--size", "64", "--min-face", "30", "--overwrite"))
    duration = time.monotonic() - began
    if status not in DONE:
        raise SystemExit(said)
    passed = report(videos, out, kinds)
    print(f"exit status {status}, {duration:.0f} seconds, {'all' if passed else 'NOT all'} as it should be")
    raise SystemExit(not passed)


def report(videos: Path, out: Path, kinds: dict[Path, str]) -> bool:
    """Prints the table; whether all is as it should be."""
    told = fates(videos, out)
    described = json.loads((out / "dataset.json").read_text(encoding="utf-8"))
    listed = len(described["skipped"]) + len(described["damaged"])
    outcomes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    reasons: dict[str, str] = {}
    for path, kind in kinds.items():
        outcome, reason = told.get(path, ("NOT TOLD", ""))
        outcomes[kind][outcome] += 1
        reasons[kind] = reason.replace(f"{path}", "FILE")
    rows = []
    for kind, counts in outcomes.items():
        right = set(counts) <= EXPECTED.get(kind, {"skipped"})
        outcome = ", ".join(f"{count} {name}" for name, count in counts.items())
        rows.append((kind, outcome, reasons[kind], "" if right else "WRONG"))
    show("files and what became of them", ("kind", "outcome", "for example because", ""), rows)
    bad = sum(outcome != "used" for outcome, _ in told.values())
    return bad == listed and not any(wrong for *_, wrong in rows)


def fates(videos: Path, out: Path) -> dict[Path, tuple[str, str]]:
    """File to its outcome and the reason, as the manifest tells them."""
    told = {}
    for line in (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        skipped, damage = entry["skipped"], entry.get("damage")
        outcome = "skipped" if skipped else "used up to its damage" if damage else "used"
        told[videos / entry["path"]] = (outcome, skipped or damage or "")
    return told


def spoil(videos: Path, good: list[Path], count: int) -> dict[Path, str]:
    """Writes hostile files; their kinds."""
    made = {}
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        folder = videos / f"hostile {kind}"
        folder.mkdir(exist_ok=True)
        path = folder / NAMES.get(kind, "{}.mp4").format(number)
        KINDS[kind](path, good[number % len(good)].read_bytes())
        made[path] = kind
    return made


def _encode(path: Path, pictures: list[np.ndarray], codec: str = "libx264") -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _sound(path: Path, _data: bytes) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        for number in range(8):
            wave = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            wave.sample_rate, wave.pts = 16_000, 1024 * number
            container.mux(stream.encode(wave))
        container.mux(stream.encode())


def _one_frame(path: Path, data: bytes) -> None:
    whole = path.with_suffix(".whole")
    whole.write_bytes(data)
    with av.open(str(whole)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    whole.unlink()
    _encode(path, [picture])


def _corrupt(path: Path, data: bytes) -> None:
    """Noise behind the first picture, which is the largest."""
    noise = np.random.default_rng(len(data)).bytes(len(data) // 8)
    first = 5 * len(data) // 8
    path.write_bytes(data[:first] + noise + data[first + len(noise) :])


def _unreadable(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0)


def _flat(height: int, width: int) -> Callable[[Path, bytes], None]:
    return lambda path, _data: _encode(path, [np.full((height, width, 3), 90, np.uint8)] * 3, "mpeg4")


KINDS: dict[str, Callable[[Path, bytes], object]] = {
    "truncated": lambda path, data: path.write_bytes(data[: len(data) // 2]),
    "empty": lambda path, _data: path.touch(),
    "a picture named .mov": lambda path, _data: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500)),
    "a text": lambda path, _data: path.write_text("this is no video\n" * 50),
    "only sound": _sound,
    "one frame": _one_frame,
    "8000×16": _flat(16, 8000),
    "2×2": _flat(2, 2),
    "corrupt in the middle": _corrupt,
    "no face": _flat(128, 128),
    "name not ASCII": lambda path, data: path.write_bytes(data),
    "very long name": lambda path, data: path.write_bytes(data),
    "a folder": lambda path, _data: path.mkdir(),
    "a broken link": lambda path, _data: path.symlink_to("nowhere.mp4"),
    "not readable": _unreadable,
}
NAMES = {
    "a picture named .mov": "{}.mov",
    "name not ASCII": "Zoë 你好 🙂 {}.mp4",
    "very long name": "x" * 240 + "{:04d}.mp4",
}
EXPECTED = {
    "good": {"used"},
    "name not ASCII": {"used"},
    "very long name": {"used"},
    "corrupt in the middle": {"skipped", "used up to its damage"},
    # Root reads everything.
    "not readable": {"skipped", "used"},
}
"""Outcomes that are right, where that is not to be skipped."""

if __name__ == "__main__":
    main()
