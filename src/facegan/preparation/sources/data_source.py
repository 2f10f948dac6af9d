"""The videos of a data set and the identities in them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class VideoClip:
    """A video of one identity.

    Attributes:
        path: the file; of an image sequence, its folder.
        video: unique name in the data set.
        identity: name of the identity.
        split: train, val or test if the source prescribes it.
        images: an image sequence in place of a video, in its order.
    """

    path: Path
    video: str
    identity: str
    split: str | None = None
    images: tuple[LabeledImage, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """The file, or the files of the image sequence."""
        return [image.path for image in self.images] or [self.path]


@dataclass(frozen=True)
class LabeledImage:
    """An image of one face.

    Attributes:
        path: the file.
        box: x, y, width and height of the face in pixels; None for the largest face.
    """

    path: Path
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class DataSource:
    """The videos that a source found.

    Attributes:
        kind: name of the kind of source.
        input: folder that was searched.
        clips: the videos, sorted by name.
        ignored: number of files that are hidden or have the suffix of another kind of file.
        skipped: file to the reason why it is left out.
    """

    kind: str
    input: str
    clips: tuple[VideoClip, ...]
    ignored: int = 0
    skipped: dict[str, str] = field(default_factory=dict)

    def absolute(self) -> DataSource:
        """Return the same with absolute paths, for workers with another working folder."""
        return replace(self, clips=tuple(_make_absolute(clip) for clip in self.clips))


def _make_absolute(clip: VideoClip) -> VideoClip:
    images = (replace(image, path=image.path.absolute()) for image in clip.images)
    return replace(clip, path=clip.path.absolute(), images=tuple(images))
