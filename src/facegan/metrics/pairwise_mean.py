"""The base class of all metrics: a mean over pairs in which undetected faces count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

Reduction = Literal["mean", "none"]


class PairwiseMeanMetric(Metric):
    """Mean of a value of each pair; exact over batches of any size and over processes.

    A prediction in which no face is detected has nothing to compare. It is not dropped silently: it
    counts as :attr:`missing_value`, the worst plausible value, unless ``penalize_undetected`` is False.

    In a ``torchmetrics.MetricCollection`` pass ``compute_groups=False``: torchmetrics would merge metrics
    whose sums are equal after the first batch, such as two readings of a perfect batch.

    A subclass's ``update(preds, target, detected)`` hands the values of a batch to :meth:`_add`.

    Args:
        reduction: ``mean``, or ``none`` for the value of each pair, in the order of the batches.
        penalize_undetected: False leaves out predictions without a face.
        kwargs: torchmetrics' own, such as ``process_group``.

    Attributes:
        missing_value: value of a pair whose prediction shows no face.
        num_pairs: number of pairs of this process so far.
        num_undetected: number of them whose predictions show no face.

    Raises:
        ValueError: for another reduction.
    """

    full_state_update = False
    missing_value: float

    total: Tensor
    num_pairs: Tensor
    num_undetected: Tensor
    values: list[Tensor] | Tensor

    def __init__(
        self, *, reduction: Reduction = "mean", penalize_undetected: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        check_option("reduction", reduction, ("mean", "none"))
        self.reduction = reduction
        self.penalize_undetected = penalize_undetected
        # 64 bit: of a million pairs the last must still count.
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("num_pairs", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("num_undetected", torch.tensor(0), dist_reduce_fx="sum")
        if reduction == "none":
            self.add_state("values", [], dist_reduce_fx="cat")

    def compute(self) -> Tensor:
        """Compute the mean, a scalar, NaN without pairs; or the value of each pair."""
        if self.reduction == "none":
            # A tensor after a reduction over processes.
            empty = isinstance(self.values, list) and not self.values
            return self.total.new_empty(0).float() if empty else dim_zero_cat(self.values)
        if self.penalize_undetected:
            return ((self.total + self.missing_value * self.num_undetected) / self.num_pairs).float()
        return (self.total / (self.num_pairs - self.num_undetected)).float()

    def plot(self, val: Tensor | Sequence[Tensor] | None = None, ax: Axes | None = None) -> Any:
        """Plot one value or a sequence of values.

        Args:
            val: values of ``forward`` or ``compute``; None computes.
            ax: where to draw; None makes a figure.

        Returns:
            Figure and axes.
        """
        return self._plot(val, ax)

    def _add(self, values: Tensor, detected: Tensor | None = None) -> None:
        """Add the values of a batch.

        Args:
            values: N; those of predictions without a face may be anything.
            detected: N booleans, whether the prediction shows a face; None if all do.

        Raises:
            ValueError: if there is not one for each pair.
        """
        if detected is None:
            detected = torch.ones_like(values, dtype=torch.bool)
        if detected.shape != values.shape:
            msg = f"detected must be one for each of {len(values)} pairs, got {tuple(detected.shape)}"
            raise ValueError(msg)
        detected = detected.to(values.device, torch.bool)
        self.total += torch.where(detected, values, 0).sum(dtype=torch.float64)
        self.num_pairs += len(values)
        self.num_undetected += (~detected).sum()
        if self.reduction == "none":
            counted = (
                torch.where(detected, values, self.missing_value)
                if self.penalize_undetected
                else values[detected]
            )
            cast("list[Tensor]", self.values).append(counted.detach())


def check_option(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise ValueError unless the value is one of the choices."""
    if value not in choices:
        msg = f"unknown {name} {value!r}: choose {' or '.join(choices)}"
        raise ValueError(msg)


def validate_pair(preds: Tensor, target: Tensor, *shape: int) -> tuple[Tensor, Tensor]:
    """Check the shapes of both sides and promote them to at least 32 bits.

    Half precision is too coarse for sums of squares.

    Args:
        preds: N×shape.
        target: N×shape.
        shape: sizes after the first; -1 for any size, the same on both sides.

    Raises:
        ValueError: if a side has another shape, or the sides differ in number.
    """
    wanted = "×".join(["N", *("D" if size == -1 else str(size) for size in shape)])
    for name, tensor in (("preds", preds), ("target", target)):
        fits = tensor.ndim == len(shape) + 1 and all(
            size in (-1, given) for size, given in zip(shape, tensor.shape[1:], strict=True)
        )
        if not fits:
            msg = f"{name} must be {wanted}, got {tuple(tensor.shape)}"
            raise ValueError(msg)
    if len(preds) != len(target):
        msg = f"preds and target must be pairs, got {len(preds)} and {len(target)}"
        raise ValueError(msg)
    if preds.shape != target.shape:
        msg = f"preds and target must be of one size, got {tuple(preds.shape)} and {tuple(target.shape)}"
        raise ValueError(msg)
    precision = torch.promote_types(torch.promote_types(preds.dtype, target.dtype), torch.float32)
    return preds.to(precision), target.to(precision)
