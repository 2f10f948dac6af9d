"""What every source tells: which videos there are, and who is in them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Clip:
    """A video of somebody.

    Attributes:
        path: the file; of pictures in place of a video, their folder.
        video: its name in the data set, unique.
        identity: name of the person.
        split: train, val or test where the source prescribes it.
        pictures: frames in place of a video, in their order.
    """

    path: Path
    video: str
    identity: str
    split: str | None = None
    pictures: tuple[LabeledImage, ...] = ()


@dataclass(frozen=True)
class LabeledImage:
    """A picture of several, of which one face is meant.

    Attributes:
        path: the file.
        box: x, y, width and height of the face in pixels.
    """

    path: Path
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Source:
    """What was found.

    Attributes:
        kind: name of the kind of source.
        input: where it was looked for.
        clips: the videos, sorted by name.
        ignored: number of files that are hidden or obviously no videos.
        skipped: file to the reason why it is left out.
    """

    kind: str
    input: str
    clips: tuple[Clip, ...]
    ignored: int = 0
    skipped: dict[str, str] = field(default_factory=dict)

    def absolute(self) -> Source:
        """The same with absolute paths, for workers that are elsewhere."""
        return replace(self, clips=tuple(_absolute(clip) for clip in self.clips))


def _absolute(clip: Clip) -> Clip:
    pictures = (replace(picture, path=picture.path.absolute()) for picture in clip.pictures)
    return replace(clip, path=clip.path.absolute(), pictures=tuple(pictures))
