"""The one-euro filter: calm where the face is at rest, quick where it moves.

Casiez, Roussel, Vogel: "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems", CHI 2012.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


class OneEuroFilter:
    """Smooths numbers that change with time, each for itself.

    Args:
        rest: cut-off frequency at rest, in hertz: the lower, the calmer.
        beta: by how many hertz it rises with a speed of 1 a second.
        speed: cut-off frequency of the speed itself, in hertz.
    """

    def __init__(self, rest: float = 1.5, beta: float = 2.0, speed: float = 1.0) -> None:
        self.rest, self.beta, self.speed = rest, beta, speed
        self._time = 0.0
        self._value: Tensor | None = None
        self._slope: Tensor | None = None
        self._delay = self._path = 0.0

    def __call__(self, value: Tensor, time: float) -> Tensor:
        """The next value, smoothed.

        Args:
            value: N numbers.
            time: seconds, increasing.
        """
        if self._value is None or self._slope is None:
            self._value, self._slope, self._time = value, torch.zeros_like(value), time
            return value
        step = max(time - self._time, 1e-3)
        slope = (value - self._value) / step
        self._slope = self._slope + _weight(torch.tensor(self.speed), step) * (slope - self._slope)
        cutoff = self.rest + self.beta * self._slope.abs()
        before, self._time = self._value, time
        self._value = before + _weight(cutoff, step) * (value - before)
        moved = (self._value - before).abs()
        self._delay += float((moved / (2 * math.pi * cutoff)).sum())
        self._path += float(moved.sum())
        return self._value

    @property
    def latency(self) -> float:
        """By how many seconds what moved came late, on average so far."""
        return self._delay / self._path if self._path else 0.0


def _weight(cutoff: Tensor, step: float) -> Tensor:
    """Share of the new value in exponential smoothing of a cut-off frequency in hertz."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * step))
