"""Find the photographs of people, several of each from one session."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from facegan.errors import InputError
from facegan.io.images import is_image
from facegan.preparation.sources.data_source import DataSource, LabeledImage, VideoClip

if TYPE_CHECKING:
    from pathlib import Path


def find_photos(root: Path) -> DataSource:
    """Find the photographs in a folder's sub-folders: each sub-folder is a session of one person.

    The photographs of a session, in the order of their names, are one track, from which pairs are drawn; so
    background, clothes and light should be the same in all of them. The identity is the first sub-folder's
    name: ``anna/1.jpg`` and ``anna/studio/1.jpg`` are two sessions of Anna.

    Args:
        root: the folder.

    Raises:
        InputError: if there is no such folder or no sub-folder with photographs.
    """
    if not root.is_dir():
        msg = f"no folder {root}: name a folder with a sub-folder of photographs for each person"
        raise InputError(msg)
    sessions: dict[Path, list[LabeledImage]] = defaultdict(list)
    ignored, skipped = 0, {}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        place = path.relative_to(root)
        if any(part.startswith(".") for part in place.parts) or not is_image(path):
            ignored += 1
        elif len(place.parts) == 1:
            skipped[place.as_posix()] = "not in the sub-folder of a person"
        else:
            sessions[place.parent].append(LabeledImage(path))
    clips = [
        VideoClip(root / folder, folder.as_posix(), folder.parts[0], images=tuple(images))
        for folder, images in sorted(sessions.items())
    ]
    if not clips:
        msg = f"no photographs in sub-folders of {root}: each person needs one"
        raise InputError(msg)
    return DataSource("photos", str(root), tuple(clips), ignored, skipped)
