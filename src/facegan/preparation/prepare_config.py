"""Options of a preparation."""

from __future__ import annotations

from dataclasses import dataclass

from facegan.errors import InputError

MIN_SAMPLE_FPS = 0.01


@dataclass(frozen=True)
class PrepareConfig:
    """Which frames and faces are used, and how they are cropped.

    Attributes:
        size: height and width of the crops in pixels.
        min_face: smallest height and width of the landmarks' bounding box in pixels of the video.
        max_angle: largest pitch and yaw of a face in degrees.
        frame_stride: use every so many-th frame.
        sample_fps: of these use so many a second (default: all).
        max_frames: use at most so many frames of a video (default: all).
        cluster: assign identities by clustering face embeddings, whatever the source says.

    Raises:
        InputError: if a value is out of range.
    """

    size: int = 256
    min_face: int = 48
    max_angle: float = 60
    frame_stride: int = 1
    sample_fps: float | None = None
    max_frames: int | None = None
    cluster: bool = False

    def __post_init__(self) -> None:
        for name, minimum in (
            ("size", 16),
            ("min_face", 0),
            ("max_angle", 0),
            ("frame_stride", 1),
            ("sample_fps", MIN_SAMPLE_FPS),
            ("max_frames", 1),
        ):
            value = getattr(self, name)
            if value is not None and value < minimum:
                msg = f"{name} is {value}: it must be {minimum} or more"
                raise InputError(msg)
