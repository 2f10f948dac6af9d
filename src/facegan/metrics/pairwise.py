"""What the measures share: a mean over pairs, results without a face, the check that both sides are pairs."""

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

    A result in which no face is found has nothing to compare. It is not dropped in silence: it counts
    as :attr:`miss`, no likeness at all, unless ``score_misses`` is False.

    A subclass's ``update`` hands the values of a batch to :meth:`add`.

    Args:
        reduction: ``mean``, or ``none`` for the value of each pair, in the order of the batches.
        score_misses: False leaves results without a face out.
        kwargs: torchmetrics' own, such as ``process_group``.

    Attributes:
        miss: value of a pair whose result shows no face.
        pairs: number of pairs of this process so far.
        misses: number of them whose results show no face.

    Raises:
        ValueError: for another reduction.
    """

    full_state_update = False
    miss: float

    total: Tensor
    pairs: Tensor
    misses: Tensor
    values: list[Tensor] | Tensor
    signature: Tensor

    def __init__(self, *, reduction: Reduction = "mean", score_misses: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        choose("reduction", reduction, ("mean", "none"))
        self.reduction = reduction
        self.score_misses = score_misses
        # 64 bit: of a million pairs the last must still count.
        self.add_state("total", torch.tensor(0.0, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("pairs", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("misses", torch.tensor(0), dist_reduce_fx="sum")
        if reduction == "none":
            self.add_state("values", [], dist_reduce_fx="cat")
        self._sign()

    def _sign(self, *settings: object) -> None:
        """A state that two metrics share only if they are the same with the same settings.

        A collection takes metrics whose states are equal after the first batch for one, and updates one only.
        """
        text = repr((type(self).__name__, self.score_misses, *settings))
        self.add_state("signature", torch.tensor(list(text.encode())), dist_reduce_fx="max")

    def add(self, values: Tensor, found: Tensor | None = None) -> None:
        """Adds the values of a batch.

        Args:
            values: N; those of results without a face may be anything.
            found: N booleans, whether the result shows a face; None if all do.

        Raises:
            ValueError: if there is not one for each pair.
        """
        if found is None:
            found = torch.ones_like(values, dtype=torch.bool)
        if found.shape != values.shape:
            msg = f"found must be one for each of {len(values)} pairs, got {tuple(found.shape)}"
            raise ValueError(msg)
        found = found.to(values.device, torch.bool)
        self.total += torch.where(found, values, 0).sum(dtype=torch.float64)
        self.pairs += len(values)
        self.misses += (~found).sum()
        if self.reduction == "none":
            scored = torch.where(found, values, self.miss) if self.score_misses else values[found]
            cast("list[Tensor]", self.values).append(scored.detach())

    def compute(self) -> Tensor:
        """The mean, a scalar, not a number of no pairs; or the value of each pair."""
        if self.reduction == "none":
            # A tensor after a reduction over processes.
            empty = isinstance(self.values, list) and not self.values
            return self.total.new_empty(0).float() if empty else dim_zero_cat(self.values)
        if self.score_misses:
            return ((self.total + self.miss * self.misses) / self.pairs).float()
        return (self.total / (self.pairs - self.misses)).float()

    def plot(self, val: Tensor | Sequence[Tensor] | None = None, ax: Axes | None = None) -> Any:
        """Draws the value, or several values in a row.

        Args:
            val: values of ``forward`` or ``compute``; None computes.
            ax: where to draw; None makes a figure.

        Returns:
            Figure and axes.
        """
        return self._plot(val, ax)


def choose(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raises ValueError unless the value is one of the choices."""
    if value not in choices:
        msg = f"unknown {name} {value!r}: choose {' or '.join(choices)}"
        raise ValueError(msg)


def as_pairs(first: Tensor, second: Tensor, *shape: int, names: tuple[str, str]) -> tuple[Tensor, Tensor]:
    """Both sides with 32 bits or more; half precision is too coarse for sums of squares.

    Args:
        first: N×shape.
        second: N×shape.
        shape: sizes after the first; -1 for any size, the same on both sides.
        names: what the caller calls the two.

    Raises:
        ValueError: if a side has another shape, or the sides differ in number.
    """
    wanted = "×".join(["N", *("D" if size == -1 else str(size) for size in shape)])
    for name, tensor in zip(names, (first, second), strict=True):
        fits = tensor.ndim == len(shape) + 1 and all(
            size in (-1, there) for size, there in zip(shape, tensor.shape[1:], strict=True)
        )
        if not fits:
            msg = f"{name} must be {wanted}, got {tuple(tensor.shape)}"
            raise ValueError(msg)
    if first.shape != second.shape:
        msg = f"{names[0]} and {names[1]} must be pairs, got {len(first)} and {len(second)}"
        if len(first) == len(second):
            sizes = f"{tuple(first.shape)} and {tuple(second.shape)}"
            msg = f"{names[0]} and {names[1]} must be of one size, got {sizes}"
        raise ValueError(msg)
    precision = torch.promote_types(torch.promote_types(first.dtype, second.dtype), torch.float32)
    return first.to(precision), second.to(precision)
