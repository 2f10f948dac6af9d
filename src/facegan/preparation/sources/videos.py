"""Find the videos of a folder and their identities."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

from facegan.errors import InputError
from facegan.preparation.sources.data_source import DataSource, VideoClip

if TYPE_CHECKING:
    from pathlib import Path

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
"""A folder with such a name is reported, since it may have been taken for a video."""
# Every other file is tried: no list of video suffixes is complete.
OTHER_SUFFIXES = (
    *(".txt", ".md", ".html", ".pdf", ".log", ".srt", ".vtt"),
    *(".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".parquet", ".npy", ".npz", ".pkl", ".pt"),
    *(".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".wav", ".mp3", ".flac", ".m4a"),
    *(".zip", ".gz", ".tar", ".md5", ".sha256"),
)


def find_videos(folder: Path, identities: Path | None = None) -> DataSource:
    """Find every video in a folder and its sub-folders.

    The name of a video is its path below the folder, without the suffix where that stays unique. Its
    identity is the first sub-folder's name, or its own name if it is at the top. Links to files
    are followed, links to folders are not.

    Args:
        folder: the folder.
        identities: a CSV file with the columns ``file`` (path below the folder) and ``identity``; other
            files are left out.

    Raises:
        InputError: if there is no such folder or no video in it, or the CSV cannot be used.
    """
    if not folder.is_dir():
        msg = f"no folder {folder}: name a folder with videos"
        raise InputError(msg)
    names = None if identities is None else _read_identities(identities, folder)
    paths = sorted(folder.rglob("*"))
    skipped = {p.relative_to(folder).as_posix(): "a broken link" for p in paths if not p.exists()}
    skipped |= {
        path.relative_to(folder).as_posix(): "a folder"
        for path in paths
        if path.is_dir() and path.suffix.lower() in VIDEO_SUFFIXES
    }
    everything = [path.relative_to(folder) for path in paths if path.is_file()]
    files = [path for path in everything if not _is_other(path)]
    stems = Counter(path.with_suffix("").as_posix() for path in files)
    stems.update(path.as_posix() for path in files if path.suffix)
    clips = []
    for path in files:
        file, stem = path.as_posix(), path.with_suffix("").as_posix()
        if names is not None and file not in names:
            skipped[file] = f"no identity in {identities}"
            continue
        own = path.parts[0] if len(path.parts) > 1 else path.stem
        identity = own if names is None else names[file]
        clips.append(VideoClip(folder / path, stem if stems[stem] == 1 else file, identity))
    if not clips:
        msg = f"no videos in {folder}" + (f" that {identities} names" if names is not None else "")
        raise InputError(msg)
    clips.sort(key=lambda clip: clip.video)
    return DataSource("videos", str(folder), tuple(clips), len(everything) - len(files), skipped)


def _is_other(path: Path) -> bool:
    return path.suffix.lower() in OTHER_SUFFIXES or any(part.startswith(".") for part in path.parts)


def _read_identities(path: Path, folder: Path) -> dict[str, str]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"cannot read {path} as CSV: {error}"
        raise InputError(msg) from error
    names: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        file, identity = row.get("file"), row.get("identity")
        if not file or not identity:
            msg = f"{path}, line {number}: needs a value in each of the columns file and identity"
            raise InputError(msg)
        if names.setdefault(file, identity) != identity:
            msg = f"{path}, line {number}: {file} has two identities, {names[file]} and {identity}"
            raise InputError(msg)
        if not (folder / file).is_file():
            msg = f"{path}, line {number}: no file {file} in {folder}"
            raise InputError(msg)
    return names
