"""What became of every video, as a file beside the data."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from facegan.preparation.crop_tracks import ClipResult
    from facegan.preparation.sources import Clip

MANIFEST = "manifest.jsonl"


def write_manifest(folder: Path, clips: Iterable[tuple[Clip, ClipResult]], skipped: dict[str, str]) -> None:
    """Writes a line of JSON a video: where it lies, its hash, and its outcome.

    Args:
        folder: of the data set.
        clips: videos with their results.
        skipped: files without a clip to the reason why.
    """
    with (folder / MANIFEST).open("w", encoding="utf-8") as file:
        for clip, result in clips:
            line = {
                "video": clip.video,
                "path": str(clip.path),
                "pictures": len(clip.pictures),
                "sha256": result.sha256,
                "frames": result.frames,
                "tracks": len(result.tracks),
                "crops": sum(result.tracks.values()),
                "rejected": result.rejected,
                "skipped": result.skipped,
                "damage": result.damage,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        for name, reason in skipped.items():
            file.write(
                json.dumps({"video": None, "path": name, "skipped": reason}, ensure_ascii=False) + "\n"
            )


def digest(clip: Clip) -> str | None:
    """SHA-256 of a clip's file, or of its pictures' hashes; None if it cannot be read."""
    try:
        digests = [_digest(path) for path in [picture.path for picture in clip.pictures] or [clip.path]]
    except OSError:
        return None
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
