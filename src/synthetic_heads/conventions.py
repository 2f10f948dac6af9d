"""The conventions of the ground truth: landmarks, motion parameters and segmentation labels.

Right and left are the person's own; the person's right is on the left of the image.
"""

from __future__ import annotations

NUM_MESH_POINTS = 478
"""MediaPipe's face mesh: 468 vertices of the canonical face, then five points of each iris."""
LANDMARK_INDICES: tuple[int, ...] = (
    *(127, 234, 93, 132, 172, 136, 149, 148, 152, 377, 378, 365, 397, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107),
    *(336, 296, 334, 293, 300),
    *(168, 6, 195, 4),
    *(98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144),
    *(362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
"""For each of the 68 iBUG landmarks, the mesh point that stands for it."""
NUM_LANDMARKS = len(LANDMARK_INDICES)

ACTION_UNITS: tuple[str, ...] = (
    *("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12"),
    *("AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26", "AU45"),
)
"""Action units of the Facial Action Coding System, 0 (relaxed) to 1 (full strength)."""
POSE_ANGLES: tuple[str, ...] = ("pitch", "yaw", "roll")
"""Head pose in radians / :data:`POSE_SCALE`: pitch grows when the head nods down, yaw when it turns towards
the image's left, roll when it tilts clockwise in the image."""
MOTION_NAMES: tuple[str, ...] = ACTION_UNITS + POSE_ANGLES
NUM_MOTION_PARAMS = len(MOTION_NAMES)
MOTION_INDEX = {name: index for index, name in enumerate(MOTION_NAMES)}
POSE_SCALE = 0.70

BACKGROUND, FACE, HAIR = 0, 1, 2
"""Segmentation labels; neck and clothes belong to the background."""
