"""What the measures share: a mean over pairs, and the check that both sides are pairs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class PairMean(Metric):
    """Mean of a value of each pair; exact over batches of any size and over processes.

    A subclass's ``update`` hands the values of a batch to :meth:`add`.

    Args:
        kwargs: torchmetrics' own, such as ``process_group``.
    """

    full_state_update = False

    total: Tensor
    count: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def add(self, values: Tensor) -> None:
        """Adds the values of a batch, N."""
        self.total = self.total + values.sum()
        self.count = self.count + len(values)

    def compute(self) -> Tensor:
        """The mean, a scalar; not a number before the first pair."""
        return self.total / self.count


def as_pairs(first: Tensor, second: Tensor, *shape: int, names: tuple[str, str]) -> tuple[Tensor, Tensor]:
    """Both sides with 32 bits or more; half precision is too coarse for sums of squares.

    Args:
        first: N×shape.
        second: N×shape.
        shape: sizes after the first.
        names: what the caller calls the two.

    Raises:
        ValueError: if a side has another shape, or the sides differ in number.
    """
    wanted = "×".join(map(str, ("N", *shape)))
    for name, tensor in zip(names, (first, second), strict=True):
        if tensor.shape[1:] != shape or tensor.ndim == 0:
            msg = f"{name} must be {wanted}, got {tuple(tensor.shape)}"
            raise ValueError(msg)
    if len(first) != len(second):
        msg = f"{names[0]} and {names[1]} must be pairs, got {len(first)} and {len(second)}"
        raise ValueError(msg)
    precision = torch.promote_types(torch.promote_types(first.dtype, second.dtype), torch.float32)
    return first.to(precision), second.to(precision)
