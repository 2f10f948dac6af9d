"""The metrics of a stage in validation or test: those of its pairs, and those of the evaluation protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from facegan.stages.protocol_metrics import ProtocolMetrics
from facegan.stages.validation_metrics import MeanWithConfidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from facegan.data import NumberedPair, ProtocolPairs
    from facegan.stages.protocol_metrics import ProtocolImages
    from facegan.stages.validation_metrics import MetricValues


class StageMetrics(nn.Module):
    """Means of a stage's ``compute_metrics`` with their intervals, and metrics of the evaluation protocols.

    Args:
        protocols: protocol to its pairs, in the order of the loaders that follow the first.
    """

    def __init__(self, protocols: Mapping[str, ProtocolPairs]) -> None:
        super().__init__()
        self.protocols_due = True
        self._names = list(protocols)
        self._means = nn.ModuleDict()
        self._protocols = ProtocolMetrics(protocols)

    def update(self, values: MetricValues) -> None:
        """Update the means with the values of a batch."""
        for name, value in values.items():
            if name not in self._means:
                self._means[name] = MeanWithConfidence()
            metric = self._means[name]
            assert isinstance(metric, MeanWithConfidence)
            sides = value if isinstance(value, tuple) else (value,)
            metric.to(sides[0].device).update(*sides)

    def update_protocol(self, loader: int, batch: NumberedPair, images: ProtocolImages) -> None:
        """Update the metrics of the protocol of a loader with the results of a batch."""
        # The stage's own pairs come first.
        self._protocols.update(self._names[loader - 1], batch, images)

    def compute(self) -> dict[str, Tensor]:
        """Compute and reset all: means, half the widths of their 95 % intervals, and the protocols if due."""
        values = {}
        for name, metric in self._means.items():
            assert isinstance(metric, MeanWithConfidence)
            values[name], values[f"{name}/ci95_half_width"] = metric.compute()
            metric.reset()
        if self.protocols_due:
            self._protocols.close()
            values |= self._protocols.compute()
        return values
