"""One-euro filter: an adaptive low-pass filter that smooths slow signals more than fast ones.

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
    """Smooth a vector over time, each component independently.

    Args:
        min_cutoff: cutoff frequency of a constant signal in hertz; a lower one smooths more.
        beta: increase of the cutoff frequency in hertz per unit of speed (1/s).
        derivative_cutoff: cutoff frequency of the speed estimate in hertz.
    """

    def __init__(self, min_cutoff: float = 1.5, beta: float = 2.0, derivative_cutoff: float = 1.0) -> None:
        self.min_cutoff, self.beta, self.derivative_cutoff = min_cutoff, beta, derivative_cutoff
        self._time = 0.0
        self._value: Tensor | None = None
        self._speed: Tensor | None = None
        self._delay = self._distance = 0.0

    def __call__(self, value: Tensor, time: float) -> Tensor:
        """Filter the next value.

        Args:
            value: N, the signal.
            time: time in seconds, increasing.

        Returns:
            N, the smoothed signal.
        """
        if self._value is None or self._speed is None:
            self._value, self._speed, self._time = value, torch.zeros_like(value), time
            return value
        interval = max(time - self._time, 1e-3)
        speed = (value - self._value) / interval
        weight = _smoothing_factor(torch.tensor(self.derivative_cutoff), interval)
        self._speed = self._speed + weight * (speed - self._speed)
        cutoff = self.min_cutoff + self.beta * self._speed.abs()
        previous, self._time = self._value, time
        self._value = previous + _smoothing_factor(cutoff, interval) * (value - previous)
        change = (self._value - previous).abs()
        self._delay += float((change / (2 * math.pi * cutoff)).sum())
        self._distance += float(change.sum())
        return self._value

    @property
    def latency(self) -> float:
        """Mean delay in seconds so far, weighted by the change of the signal."""
        return self._delay / self._distance if self._distance else 0.0


def _smoothing_factor(cutoff: Tensor, interval: float) -> Tensor:
    """Weight of the new value in exponential smoothing with a cutoff frequency in hertz."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * interval))
