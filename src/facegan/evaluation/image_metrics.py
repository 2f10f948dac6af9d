"""The paper's measures of pictures: somebody looks, and the measures compare what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torchmetrics.wrappers.abstract import WrapperMetric

from facegan.evaluation.pair_metrics import parts
from facegan.io.images import tensor_to_images
from facegan.metrics import CSIM, ED, LSIM, PSIM

if TYPE_CHECKING:
    from torch import Tensor

    from facegan.evaluation.face_measurements import Observer
    from facegan.metrics import PairwiseMeanMetric


EPSILON = 1e-3
"""Generators end with tanh; what was computed in half precision may go beyond it a little."""


class ImageMetrics(WrapperMetric):
    """CSIM, PSIM, ED and, where there are second pictures, LSIM of pictures.

    Each picture is looked at once. A result without a face counts as a miss
    (:class:`PairwiseMeanMetric`). A pair whose source, driver or second picture cannot be measured does
    not count in the measure that needs it.

    Args:
        observer: who looks; ``Eyes().open()`` for the default back ends.

    Example::

        with Eyes().open() as observer:
            measures = ImageMetrics(observer)
            measures.update(source, driver, result)
            measures.compute()  # {'csim': …, 'psim': …, 'ed': …}
            measures.csim.num_undetected  # results without a face
    """

    full_state_update = False
    is_differentiable = False

    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self._observer = observer
        self.csim, self.psim, self.ed, self.lsim = CSIM(), PSIM(), ED(), LSIM()

    def update(self, source: Tensor, driver: Tensor, result: Tensor, second: Tensor | None = None) -> None:
        """Takes in a batch.

        Args:
            source: pictures of the persons that are moved, N×3×S×S in -1..1.
            driver: pictures of the motion.
            result: what a method made.
            second: what the results should look like (:class:`facegan.metrics.LSIM`).

        Raises:
            ValueError: if these are not N pictures each in -1..1.
        """
        pictures = {"source": source, "driver": driver, "result": result, "second": second}
        for name, batch in pictures.items():
            if batch is not None and (batch.ndim != 4 or batch.shape[1] != 3 or len(batch) != len(result)):
                msg = f"{name} must be {len(result)} pictures N×3×S×S, got {tuple(batch.shape)}"
                raise ValueError(msg)
            if batch is not None and len(batch) and not _in_range(batch):
                msg = f"{name} must be in -1..1"
                raise ValueError(msg)
        if not len(result):
            return
        made, found = self._look(result)
        shown, _ = self._look(source)
        self._add(self.csim, made["identity"], shown["identity"], found)
        driven, _ = self._look(driver)
        self._add(self.psim, made["angles"], driven["angles"], found)
        self._add(self.ed, made["units"], driven["units"], found)
        if second is not None:
            wanted, _ = self._look(second)
            self._add(self.lsim, made["landmarks"], wanted["landmarks"], found)

    def compute(self) -> dict[str, Tensor]:
        """Measure to its mean, of those that have pairs."""
        return {name: metric.compute() for name, metric in self._metrics.items() if metric.update_called}

    def reset(self) -> None:
        """Forgets all pairs."""
        super().reset()
        for metric in self._metrics.values():
            metric.reset()

    @property
    def _metrics(self) -> dict[str, PairwiseMeanMetric]:
        return {"csim": self.csim, "psim": self.psim, "ed": self.ed, "lsim": self.lsim}

    def _look(self, batch: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        seen = self._observer(list(tensor_to_images(batch.detach())))
        return parts(seen), torch.from_numpy(seen.found)

    @staticmethod
    def _add(metric: CSIM | PSIM | ED | LSIM, preds: Tensor, target: Tensor, detected: Tensor) -> None:
        known = target.flatten(1).isfinite().all(dim=1)
        metric.update(*(side[known].to(metric.device) for side in (preds, target, detected)))


def _in_range(batch: Tensor) -> bool:
    return batch.is_floating_point() and bool(batch.abs().amax() <= 1 + EPSILON)
