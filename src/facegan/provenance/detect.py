"""What the marks in a file tell."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from facegan.errors import InputError
from facegan.io.images import is_image, read_image
from facegan.io.video_reader import VideoReader
from facegan.provenance.manifest import read_manifest
from facegan.provenance.watermark import THRESHOLD, Detector

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from facegan.io.video_reader import Frame
    from facegan.provenance.manifest import Manifest

FRAMES = 300
"""Of a video, so many from the beginning are looked at for the invisible mark."""


@dataclass(frozen=True)
class Findings:
    """What was found in a file.

    Attributes:
        path: the file.
        kind: picture or video.
        manifest: what the Content Credentials say; None if there are none.
        score: of the invisible mark, about normally distributed with variance 1 where there is none.
        frames: so many were looked at for it.
    """

    path: Path
    kind: Literal["picture", "video"]
    manifest: Manifest | None
    score: float
    frames: int

    @property
    def watermark(self) -> bool:
        """Whether the invisible mark was found."""
        return self.score > THRESHOLD

    def describe(self) -> str:
        """The same in words: the file, the Content Credentials, the invisible mark, what follows."""
        found = "found" if self.watermark else "not found"
        frames = f", {self.frames} frames" if self.kind == "video" else ""
        lines = [
            f"{self.path}: {self.kind}",
            f"Content Credentials: {_manifest_in_words(self.manifest)}",
            f"invisible mark: {found} (score {self.score:.1f}, found above {THRESHOLD}{frames})",
            self._conclusion(),
        ]
        return "\n  ".join(lines)

    def to_json(self) -> str:
        """The same as one line of JSON."""
        fields = asdict(self) | {"path": str(self.path), "watermark": self.watermark}
        return json.dumps(fields | {"conclusion": self._conclusion()})

    def _conclusion(self) -> str:
        if self.manifest is None:
            if self.watermark:
                return "made by facegan; its Content Credentials were removed or lost when it was saved anew"
            return "no mark: that does not mean that it is real"
        if self.manifest.state == "invalid":
            made = "made by facegan; " if self.watermark else ""
            return f"{made}changed after it was signed, or the manifest is not its own"
        if self.manifest.machine_made or self.watermark:
            return "made by a machine, and unchanged since it was signed"
        return "unchanged since it was signed"


def verify(path: Path) -> Findings:
    """Looks for Content Credentials, of whatever program, and for facegan's invisible mark.

    Args:
        path: a picture or a video; its name does not matter.

    Raises:
        InputError: if it is neither, or damaged so that nothing can be seen.
    """
    if not path.is_file():
        msg = f"cannot read {path}: no such file"
        raise InputError(msg)
    still = is_image(path)
    frames: Iterable[Frame] = [(0, 0.0, read_image(path))] if still else VideoReader(path).frames()
    detector = Detector()
    count = 0
    for _, _, image in islice(frames, FRAMES):
        detector.add(image)
        count += 1
    manifest = read_manifest(path)
    return Findings(path, "picture" if still else "video", manifest, detector.score, count)


def _manifest_in_words(manifest: Manifest | None) -> str:
    if manifest is None:
        return "none"
    if manifest.state == "invalid":
        return f"INVALID ({'; '.join(manifest.faults) or 'no reason given'})"
    who = {"valid": "this user's own certificate", "untrusted": "a signer nobody here vouches for"}
    parts = [f"valid signature of {manifest.signer or 'somebody without a name'}, {who[manifest.state]}"]
    parts.append(f"by {manifest.program}" if manifest.program else "")
    parts.append(f"model {manifest.model}" if manifest.model else "")
    parts.append("made by a trained model" if manifest.machine_made else "")
    parts.append(f"done: {', '.join(manifest.actions)}" if manifest.actions else "")
    return "; ".join(filter(None, parts))
