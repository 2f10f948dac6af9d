"""Muon: steps of one size in every direction that a convolution's weights span."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import torch
from torch import Tensor, nn

from facegan.stages.bf16 import computes_bf16

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROWS = 8
"""A matrix of fewer rows has hardly anything to orthogonalise: the heads' last convolutions go with Adam."""
QUINTIC = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class Muon(torch.optim.Adam):
    """Muon (Jordan et al., 2024) for convolutions, Adam for everything else.

    A convolution's weights are a matrix with a row an output channel. Its averaged gradient G = U S Vᵀ is
    replaced by nearly U Vᵀ (five Newton-Schulz steps, in bfloat16 where the device has it), so that
    directions which are rare in the data move as fast as common ones.

    Args:
        networks: what is trained.
        matrix_rate: learning rate of the convolutions: the spectral norm of a step, for matrices that
            are not higher than wide.
        lr: of Adam.
        betas: of Adam.
        momentum: of the averaged gradient, Nesterov's.
    """

    def __init__(
        self,
        networks: Iterable[nn.Module],
        matrix_rate: float,
        lr: float,
        betas: tuple[float, float],
        momentum: float = 0.95,
    ) -> None:
        networks = list(networks)
        matrices = {
            module.weight: isinstance(module, nn.ConvTranspose2d)
            for network in networks
            for module in network.modules()
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
            and module.weight.requires_grad
            and min(_as_matrix(module.weight, isinstance(module, nn.ConvTranspose2d)).shape) >= ROWS
        }
        rest = [
            p for network in networks for p in network.parameters() if p.requires_grad and p not in matrices
        ]
        groups: list[dict[str, Any]] = [{"params": rest, "matrices": False}]
        for transposed in (False, True):
            chosen = [weight for weight, kind in matrices.items() if kind is transposed]
            if chosen:
                kinds = {"matrices": True, "transposed": transposed, "momentum": momentum}
                groups.append({"params": chosen, "lr": matrix_rate, **kinds})
        super().__init__(groups, lr=lr, betas=betas, fused=True)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Moves the matrices, and what is left as Adam does.

        Args:
            closure: computes the loss anew, before the matrices move.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["matrices"]:
                for weight in group["params"]:
                    if weight.grad is not None:
                        self._move(weight, weight.grad, group)
                        # Adam leaves alone what has no gradient.
                        weight.grad = None
        super().step()
        return loss

    def _move(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            # Adam looks for its count when it is loaded.
            state["step"] = torch.zeros(())
            state["average"] = torch.zeros_like(weight)
        average, momentum = state["average"], group["momentum"]
        average.lerp_(gradient, 1 - momentum)
        matrix = _as_matrix(gradient.lerp(average, momentum), group["transposed"])
        rows, columns = matrix.shape
        step = orthogonalise(matrix) * max(1, rows / columns) ** 0.5
        shape = weight.transpose(0, 1).shape if group["transposed"] else weight.shape
        step = step.view(shape)
        weight.sub_(group["lr"] * (step.transpose(0, 1) if group["transposed"] else step))


def orthogonalise(matrix: Tensor) -> Tensor:
    """Nearly U Vᵀ of a matrix U S Vᵀ: its singular values come to lie between 0.7 and 1.2.

    Args:
        matrix: R×C, any scale.
    """
    a, b, c = QUINTIC
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = wide.bfloat16() if computes_bf16(matrix.device) else wide
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.T
        # a X + (b S + c S²) X; in one rounding each.
        change = torch.addmm(square, square, square, beta=b, alpha=c)
        x = torch.addmm(x, change, x, beta=a)
    result: Tensor = x.to(matrix.dtype)
    return result.T if matrix.shape[0] > matrix.shape[1] else result


def _as_matrix(weight: Tensor, transposed: bool) -> Tensor:
    """A row an output channel."""
    return (weight.transpose(0, 1) if transposed else weight).flatten(1)
