"""How the 17 action units move a face (Ekman and Friesen, Facial Action Coding System, 1978).

Most units are displacement fields that add up. Two are turns: the jaw (AU26) about its joints before the
ears, and the lids (AU05, AU07, AU45) about the eyeball, so that they meet in a line and slide over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_heads.arrays import Floats, as_float32
from synthetic_heads.conventions import ACTION_UNITS, MOTION_NAMES
from synthetic_heads.face.canonical_face import CREASES, LIDS, LIPS_LOWER, LIPS_UPPER
from synthetic_heads.face.shape import displacement_field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synthetic_heads.face.shape import Handle

UNITS: Mapping[str, Sequence[Handle]] = {
    "AU01": ((107, 1.1, (0.05, 0.8, 0)), (66, 0.9, (0, 0.4, 0)), (9, 1.2, (0, 0.25, 0))),
    "AU02": ((63, 1.2, (0, 0.62, 0)), (70, 1.1, (0, 0.35, 0)), (105, 1.1, (0, 0.35, 0))),
    "AU04": ((107, 1.0, (-0.35, -0.7, 0.12)), (66, 0.9, (-0.15, -0.5, 0.05)), (105, 1.1, (-0.05, -0.45, 0))),
    "AU06": ((50, 1.5, (0.05, 0.6, 0.4)), (117, 1.0, (0, 0.3, 0.2)), (226, 0.7, (-0.05, 0.05, 0))),
    "AU09": (
        *((48, 0.8, (0.08, 0.45, 0.05)), (126, 0.8, (0, 0.4, 0.12)), (2, 0.7, (0, 0.25, 0))),
        *((55, 0.9, (-0.1, -0.4, 0.05)), (37, 0.9, (0, 0.35, 0.05))),
    ),
    "AU10": ((37, 0.9, (0, 0.5, 0.15)), (40, 0.9, (0.05, 0.55, 0.12)), (205, 1.3, (0, 0.3, 0.2))),
    "AU12": ((61, 1.3, (0.85, 0.85, -0.4)), (205, 1.7, (0.2, 0.4, 0.3)), (91, 0.8, (0.1, 0.1, -0.1))),
    "AU14": ((61, 0.8, (0.1, 0.28, -0.4)),),
    "AU15": ((61, 1.1, (0.1, -0.65, -0.1)), (57, 0.9, (0.1, -0.3, 0))),
    "AU17": ((200, 1.4, (0, 0.5, 0.3)), (17, 0.9, (0, 0.4, 0.25)), (14, 0.8, (0, 0.22, 0.1))),
    "AU20": ((61, 1.4, (0.85, -0.2, -0.35)), (146, 0.9, (0.2, -0.1, 0))),
    "AU23": ((61, 1.2, (-0.4, 0, 0.1)),),
    "AU25": ((17, 1.0, (0, -0.2, 0)), (0, 0.8, (0, 0.05, 0))),
}
"""Units that add up, at full strength."""
JAW_DEGREES = 19.0
"""How far a full AU26 turns the jaw."""
JAW_SLIDE = as_float32([0, 0.3, -1.6])
"""Centimeters that the joint itself slides forwards meanwhile."""
JAW_JOINT = as_float32([0, -0.5, 2.5])
LID = 1.02
"""A lid's least distance from the middle of the eyeball, as a multiple of its radius."""
LIPS_PART = (0.24, 0.6)
"""Centimeters that a full AU25 lifts the upper lip and lowers the lower one."""
_INDEX = {name: i for i, name in enumerate(MOTION_NAMES)}


@dataclass(frozen=True)
class Rig:
    """A face that can move.

    Attributes:
        neutral: 468×3.
        eyes: middle of each eyeball, 2×3: the person's right, then left.
        radius: of the eyeballs.
        fields: 17×468×3, what each action unit adds.
        jaw: 468, how much a vertex goes with the jaw, 0..1.
    """

    neutral: Floats
    eyes: Floats
    radius: float
    fields: Floats
    jaw: Floats

    @classmethod
    def fit(cls, neutral: Floats) -> Rig:
        """Rig a neutral face, 468×3."""
        radius, eyes = _eyeballs(neutral)
        neutral = neutral.copy()
        for (above, below), eye in zip(LIDS, eyes, strict=True):
            lids = sorted({*above, *below})
            around = neutral[lids] - eye
            distance = np.linalg.norm(around, axis=1, keepdims=True)
            neutral[lids] = eye + around * np.maximum(LID * radius / distance, 1)
        fields = np.zeros((len(ACTION_UNITS), *neutral.shape), np.float32)
        for name, handles in UNITS.items():
            fields[_INDEX[name]] = displacement_field(neutral, handles)
        lids = [vertex for eye in LIDS for lid in eye for vertex in lid]
        for name in ("AU01", "AU02", "AU04", "AU06", "AU09"):
            fields[_INDEX[name]][lids] *= 0.15
        lower = sorted({vertex for row in LIPS_LOWER for vertex in row[1:-1]})
        upper = sorted({vertex for row in LIPS_UPPER for vertex in row[1:-1]})
        fields[_INDEX["AU10"]][lower] *= 0.15
        fields[_INDEX["AU09"]][lower] *= 0.15
        fields[_INDEX["AU17"]][upper] *= 0.75
        _roll_lips(neutral, fields[_INDEX["AU23"]], 0.75)
        _roll_lips(neutral, fields[_INDEX["AU14"]], 0.45)
        along = np.sin(np.linspace(0, np.pi, 11)) ** 0.6
        for rows, lift in ((LIPS_UPPER, -LIPS_PART[0]), (LIPS_LOWER, LIPS_PART[1])):
            for row, share in zip(rows, (0.6, 0.8, 0.95, 1.0), strict=True):
                fields[_INDEX["AU25"]][list(row), 1] += share * lift * along
        return cls(neutral, eyes, radius, fields, _jaw_weight(neutral))

    def deform(self, vector: Floats) -> Floats:
        """The face with an expression, 468×3.

        Args:
            vector: 20 motion parameters (17 action units, 3 angles); its pose is left out here.
        """
        unit = dict(zip(ACTION_UNITS, np.clip(vector[:17], 0, 1).tolist(), strict=True))
        strengths = as_float32(list(unit.values()))[:, None, None]
        face = self.neutral + (strengths * self.fields).sum(axis=0)
        face = open_jaw(face, unit["AU26"] * self.jaw[:, None])
        return self._move_lids(face, unit)

    def _move_lids(self, face: Floats, unit: Mapping[str, float]) -> Floats:
        shut = unit["AU45"]
        upper = shut + (1 - shut) * (0.25 * unit["AU07"] + 0.08 * unit["AU06"] - 0.6 * unit["AU05"])
        lower = (1 - shut) * (0.22 * unit["AU07"] + 0.2 * unit["AU06"] + 0.08 * unit["AU09"])
        for (above, below), (crease, bag), eye in zip(LIDS, CREASES, self.eyes, strict=True):
            top, bottom = face[list(above)], face[list(below)]
            # The lower lid rises a little; the upper one comes down to it, both over the ball.
            heights = [np.linalg.norm(lid - eye, axis=1) for lid in (top, bottom)]
            new_bottom = bottom + (lower + 0.14 * shut) * (top - bottom)
            new_top = top + upper * (new_bottom - top)
            heights[0] += max(upper, 0) * (heights[1] - heights[0])
            for lid, new, height in ((above, new_top, heights[0]), (below, new_bottom, heights[1])):
                around = new - eye
                around *= (np.maximum(height, LID * self.radius) / np.linalg.norm(around, axis=1))[:, None]
                face[list(lid)] = eye + around
            face[list(crease)] += 0.45 * (face[list(above)] - top)[1:-1]
            face[list(bag)] += 0.4 * (face[list(below)] - bottom)[1:-1]
        return face


def open_jaw(points: Floats, share: Floats | float) -> Floats:
    """Points N×3 when they go with the jaw by a share of its widest opening, N×1 or one for all."""
    angle = np.radians(JAW_DEGREES) * as_float32(share)
    x, y, z = (points - JAW_JOINT).T[:, :, None]
    turned = np.concatenate(
        (x, y * np.cos(angle) - z * np.sin(angle), y * np.sin(angle) + z * np.cos(angle)), axis=1
    )
    return as_float32(turned + JAW_JOINT + share * JAW_SLIDE)


def _eyeballs(face: Floats) -> tuple[float, Floats]:
    """Radius and middles of the eyeballs, so that the lids lie on them."""
    widths = [np.linalg.norm(face[above[0]] - face[above[-1]]) for above, _ in LIDS]
    radius = 0.51 * float(np.mean(widths))
    middles = []
    for above, below in LIDS:
        rim = face[[*above, *below[1:-1]]]
        # The rim's highest point towards the camera just touches the ball from outside.
        middle = (rim.min(axis=0) + rim.max(axis=0)) / 2
        lid = rim[:, 2].min()
        middles.append([middle[0], middle[1], lid + 1.02 * radius])
    return radius, as_float32(middles)


def _roll_lips(face: Floats, displacement: Floats, amount: float) -> None:
    """Press the lips together and thins them."""
    seam = (face[list(LIPS_UPPER[3])] + face[list(LIPS_LOWER[3])]) / 2
    for rows in (LIPS_UPPER, LIPS_LOWER):
        for row, share in zip(rows, (0.7, 0.8, 0.6, 0.0), strict=True):
            inner = list(row[1:-1])
            displacement[inner, 1] += amount * share * (seam[1:-1, 1] - face[inner, 1])
            displacement[inner, 2] += amount * 0.35 * share


def _jaw_weight(face: Floats) -> Floats:
    """How much each vertex goes with the lower jaw, 0..1."""
    corner, x, y = face[61], np.abs(face[:, 0]), face[:, 1]
    below = np.clip((y - corner[1] + 0.3) / 1.5, 0, 1)
    sideways = np.clip((8.2 - x) / 3.6, 0, 1)
    weight = as_float32(below * below * (3 - 2 * below) * sideways)
    along = np.sin(np.linspace(0, np.pi, 11)) ** 0.7
    for row in LIPS_LOWER:
        weight[list(row)] = 0.3 + 0.7 * along
    for row in LIPS_UPPER:
        weight[list(row)] = 0.3 * (1 - along)
    return weight
