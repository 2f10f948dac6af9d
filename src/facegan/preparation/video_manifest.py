"""Write the result of every video into a file beside the data."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from facegan.preparation.dataset_format import MANIFEST_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from facegan.preparation.crop_tracks import ClipResult
    from facegan.preparation.sources import DataSource, VideoClip


def write_manifest(folder: Path, source: DataSource, results: Sequence[ClipResult]) -> None:
    """Write ``manifest.jsonl``: path, hash and result of each video, one JSON object a line.

    Args:
        folder: folder of the data set.
        source: the videos, and the files that were left out.
        results: result of each video.
    """
    lines = [
        {
            "video": clip.video,
            "path": str(clip.path),
            "images": len(clip.images),
            "sha256": result.sha256,
            "frames": result.frames,
            "tracks": len(result.tracks),
            "crops": sum(result.tracks.values()),
            "rejected": result.rejected,
            "skipped": result.skipped,
            "decode_error": result.decode_error,
        }
        for clip, result in zip(source.clips, results, strict=True)
    ]
    lines += [{"video": None, "path": name, "skipped": reason} for name, reason in source.skipped.items()]
    with (folder / MANIFEST_FILE).open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def hash_clip(clip: VideoClip) -> str | None:
    """Compute the SHA-256 of a clip's file, or of its images' hashes; None if it cannot be read."""
    try:
        hashes = [_hash_file(path) for path in clip.paths]
    except OSError:
        return None
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
