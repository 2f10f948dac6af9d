"""Counts and problems of a preparation."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from facegan.errors import InputError
from facegan.preparation.splits import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from facegan.preparation.crop_tracks import ClipResult
    from facegan.preparation.sources import DataSource


@dataclass
class Counts:
    """Numbers of identities, videos, tracks and crops."""

    identities: int = 0
    videos: int = 0
    tracks: int = 0
    crops: int = 0


@dataclass
class Summary:
    """Result of a preparation.

    Attributes:
        out: folder of the data set.
        total: counts of the whole data set.
        splits: counts of each split.
        frames: number of frames processed.
        ignored: number of files that are hidden or have the suffix of another kind of file.
        rejected: reason to number of faces that were detected but not used.
        skipped: video, or file without a video, to the reason why it gave no crops.
        truncated: video to the decoding error that ended it early.
    """

    out: Path
    total: Counts = field(default_factory=Counts)
    splits: dict[str, Counts] = field(default_factory=lambda: {name: Counts() for name in SPLITS})
    frames: int = 0
    ignored: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    truncated: dict[str, str] = field(default_factory=dict)

    @property
    def has_errors(self) -> bool:
        """Whether a part of the input could not be used."""
        return bool(self.skipped or self.truncated)

    def entries(self) -> dict[str, Any]:
        """Entries of ``dataset.json``."""
        return {
            "counts": asdict(self.total) | {"frames": self.frames, "ignored": self.ignored},
            "splits": {name: asdict(counts) for name, counts in self.splits.items()},
            "rejected": self.rejected,
            "skipped": self.skipped,
            "truncated": self.truncated,
        }

    def describe(self) -> str:
        """Describe the result in lines of text."""
        total = self.total
        splits = [f"{name} {part.crops} ({part.identities} identities)" for name, part in self.splits.items()]
        lines = [
            f"{total.crops} crops of {total.identities} identities, {total.tracks} tracks, "
            f"{total.videos} videos",
            f"splits: {', '.join(splits)}",
        ]
        if self.rejected:
            reasons = ", ".join(f"{count} {reason}" for reason, count in self.rejected.most_common())
            lines.append(f"rejected faces: {reasons}")
        if self.has_errors:
            lines.append(f"skipped videos: {len(self.skipped)}, truncated videos: {len(self.truncated)}")
        lines += [f"skipped {video}: {reason}" for video, reason in self.skipped.items()]
        lines += [f"truncated {video}: {reason}" for video, reason in self.truncated.items()]
        return "\n".join([*lines, f"data set: {self.out}"])


def summarize(source: DataSource, results: Iterable[ClipResult], out: Path) -> Summary:
    """Sum up the results of the clips, except for the counts of crops.

    Raises:
        InputError: if there is no usable face at all.
    """
    summary = Summary(out, ignored=source.ignored, skipped=dict(source.skipped))
    empty = True
    for clip, result in zip(source.clips, results, strict=True):
        empty = empty and not result.tracks
        summary.frames += result.frames
        summary.rejected.update(result.rejected)
        if result.skipped:
            summary.skipped[clip.video] = result.skipped
        elif result.decode_error:
            summary.truncated[clip.video] = result.decode_error
    if empty:
        reasons = summary.rejected + Counter(why.partition(" (")[0] for why in summary.skipped.values())
        msg = f"no usable face in {source.input}: " + ", ".join(f"{n} × {why}" for why, n in reasons.items())
        raise InputError(msg)
    return summary
