"""Find the original videos of FaceForensics++ (Rössler et al., ICCV 2019)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from facegan.errors import InputError
from facegan.preparation.sources.data_source import DataSource, VideoClip
from facegan.preparation.splits import SPLITS

if TYPE_CHECKING:
    from pathlib import Path

QUALITIES = ("raw", "c0", "c23", "c40")
"""Uncompressed, and H.264 with these constant rate factors."""
PAPER_TEST = 400
"""Videos of the paper's test (section 5)."""


def find_faceforensics(root: Path, *, quality: str | None = None, splits: str = "official") -> DataSource:
    """Find the original sequences ``original_sequences/{youtube,actors}/QUALITY/videos/*.mp4`` as downloaded.

    A YouTube sequence is a number, ``033.mp4``; with the data set's ``conversion_dict.json``, sequences of
    one YouTube video have one identity. An actor's begins with the actor, ``01__kitchen_pan.mp4``.

    Args:
        root: folder that holds ``original_sequences``.
        quality: one of :data:`QUALITIES` (default: the best in the folder).
        splits: ``official``: those of ``splits/{train,val,test}.json``, random ones for actors; ``paper``:
            400 evenly spaced YouTube sequences as test, and nothing else.

    Raises:
        InputError: for another folder, a quality that is not there, or splits that cannot be read.
    """
    if splits not in ("official", "paper"):
        msg = f"unknown splits {splits!r}: choose official or paper"
        raise InputError(msg)
    quality = _quality(root, quality)
    names = _youtube_names(root)
    clips = []
    for kind in ("youtube", "actors"):
        for path in sorted((root / "original_sequences" / kind / quality / "videos").glob("*.mp4")):
            person = f"actor_{path.stem.partition('__')[0]}" if kind == "actors" else names.get(path.stem)
            clips.append(VideoClip(path, f"{kind}/{path.stem}", person or f"youtube_{path.stem}"))
    if splits == "paper":
        clips = [clip for clip in clips if clip.video.startswith("youtube/")]
        chosen = np.linspace(0, len(clips) - 1, min(PAPER_TEST, len(clips))).round().astype(int)
        clips = [clips[index] for index in chosen]
        lists = {clip.identity: "test" for clip in clips}
    else:
        lists = _official(root, clips)
    clips = [replace(clip, split=lists.get(clip.identity)) for clip in clips]
    return DataSource("faceforensics", str(root), tuple(sorted(clips, key=lambda clip: clip.video)))


def _quality(root: Path, asked: str | None) -> str:
    """Return the requested quality, or the best one."""
    originals = root / "original_sequences"
    there = [quality for quality in QUALITIES if any(originals.glob(f"*/{quality}/videos/*.mp4"))]
    if not there:
        msg = (
            f"no original_sequences/youtube/c23/videos/*.mp4 or the like in {root}: name the data set's root"
        )
        raise InputError(msg)
    if asked is not None and asked not in there:
        msg = f"{originals} has no videos of quality {asked}: there is {', '.join(there)}"
        raise InputError(msg)
    return asked or there[0]


def _youtube_names(root: Path) -> dict[str, str]:
    """Map sequences to the YouTube identifiers of their videos, if the data set has them."""
    path = _find(root, "conversion_dict.json")
    if path is None:
        return {}
    # "033": "aYsTzPzkRVk 2": of some videos there are several sequences.
    return {number: str(name).partition(" ")[0] for number, name in _read(path, dict).items()}


def _official(root: Path, clips: list[VideoClip]) -> dict[str, str]:
    """Map the identities in the official lists to their splits."""
    people = {clip.path.stem: clip.identity for clip in clips if clip.video.startswith("youtube/")}
    splits: dict[str, str] = {}
    for split in SPLITS:  # Of an identity in several the last: no test contains a trained face.
        path = _find(root, f"{split}.json")
        if path is None:
            msg = f"no splits/{split}.json in {root}: they are at github.com/ondyari/FaceForensics"
            raise InputError(msg)
        for pair in _read(path, list):
            splits |= {people[number]: split for number in pair if number in people}
    return splits


def _find(root: Path, name: str) -> Path | None:
    places = (root / folder / name for folder in (".", "splits", "dataset", "dataset/splits"))
    return next((path for path in places if path.is_file()), None)


def _read(path: Path, kind: type) -> Any:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"cannot read {path} as JSON: {error}"
        raise InputError(msg) from error
    if not isinstance(content, kind):
        msg = f"{path} is not FaceForensics++'s: it holds no {kind.__name__}"
        raise InputError(msg)
    return content
