"""The Muon optimizer for convolutions: orthogonalized momentum."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, overload

import torch
from torch import Tensor, nn

from facegan.stages.precision import computes_bf16

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MIN_MATRIX_ROWS = 8
"""Matrices of fewer rows are left to Adam: the heads' last convolutions."""
NEWTON_SCHULZ_COEFFS = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5


class Muon(torch.optim.Adam):
    """Muon (Jordan et al., 2024) for convolutions, Adam for everything else.

    A convolution's weights are a matrix with a row an output channel. Its averaged gradient G = U S Vᵀ is
    replaced by nearly U Vᵀ (five Newton-Schulz steps, in bfloat16 where the device has it), so that the step
    is of equal size in directions that are rare and common in the data.

    Args:
        groups: parameter groups; those of :func:`muon_groups` with ``matrices`` are updated by Muon.
        lr: of Adam.
        betas: of Adam.
        fused: use Adam's fused implementation.
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float], *, fused: bool
    ) -> None:
        super().__init__(groups, lr=lr, betas=betas, fused=fused)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update the matrices by Muon and all other parameters by Adam.

        Args:
            closure: computes the loss again, before the matrices are updated.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group.get("matrices"):
                same_shape = defaultdict(list)
                for weight in group["params"]:
                    if weight.grad is not None:
                        same_shape[weight.shape, weight.stride()].append(weight)
                for weights in same_shape.values():
                    self._update_matrices(weights, group)
        super().step()
        return loss

    def _update_matrices(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        """Update weights of one shape as one batch: each alone is too little work."""
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        averages = [self._momentum_buffer(weight) for weight in weights]
        torch._foreach_lerp_(averages, gradients, 1 - group["momentum"])
        lookahead = torch._foreach_lerp(gradients, averages, group["momentum"])
        order = _matrix_order(weights[0], group["transposed"])
        matrices = torch.stack([one.permute(order).flatten(1) for one in lookahead])
        rows, columns = matrices.shape[1:]
        rate = group["lr"] * max(1, rows / columns) ** 0.5
        for weight, step in zip(weights, orthogonalize(matrices), strict=True):
            matrix = weight.permute(order)
            matrix.sub_(step.view(matrix.shape), alpha=rate)
            # Adam skips parameters without a gradient.
            weight.grad = None

    def _momentum_buffer(self, weight: Tensor) -> Tensor:
        state = self.state[weight]
        if not state:
            # Adam expects its step count when a state is loaded.
            state["step"] = torch.zeros(())
            state["momentum"] = torch.zeros_like(weight)
        momentum: Tensor = state["momentum"]
        return momentum


def muon_groups(
    networks: Iterable[nn.Module], muon_lr: float, momentum: float = 0.95
) -> list[dict[str, Any]]:
    """Split the trained parameters of networks into groups for Adam and for Muon.

    Args:
        networks: the trained networks.
        muon_lr: learning rate of the convolutions: the spectral norm of a step, for matrices that
            are not higher than wide.
        momentum: of the averaged gradient, Nesterov's.
    """
    networks = list(networks)
    matrices = {
        module.weight: isinstance(module, nn.ConvTranspose2d)
        for network in networks
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
        and module.weight.requires_grad
        and _smaller_side(module.weight, isinstance(module, nn.ConvTranspose2d)) >= MIN_MATRIX_ROWS
    }
    rest = [p for network in networks for p in network.parameters() if p.requires_grad and p not in matrices]
    groups: list[dict[str, Any]] = [{"params": rest}]
    for transposed in (False, True):
        chosen = [weight for weight, kind in matrices.items() if kind is transposed]
        if chosen:
            kinds = {"matrices": True, "transposed": transposed, "momentum": momentum}
            groups.append({"params": chosen, "lr": muon_lr, **kinds})
    return groups


def orthogonalize(matrices: Tensor) -> Tensor:
    """Compute nearly U Vᵀ of each matrix U S Vᵀ; its singular values are between 0.7 and 1.2.

    Args:
        matrices: N×R×C, any scale.
    """
    a, b, c = NEWTON_SCHULZ_COEFFS
    high = matrices.shape[1] > matrices.shape[2]
    wide = matrices.mT if high else matrices
    x = wide.bfloat16() if computes_bf16(matrices.device) else wide
    x = x / (torch.linalg.matrix_norm(x, keepdim=True) + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        square = x @ x.mT
        # a X + (b S + c S²) X; in one rounding each.
        change = torch.baddbmm(square, square, square, beta=b, alpha=c)
        x = torch.baddbmm(x, change, x, beta=a)
    result: Tensor = x.to(matrices.dtype)
    return result.mT if high else result


def _matrix_order(weight: Tensor, transposed: bool) -> list[int]:
    """Order the axes of a convolution's weights: output channels first, the others by stride."""
    rows = 1 if transposed else 0
    return [rows, *sorted({0, 1, 2, 3} - {rows}, key=weight.stride, reverse=True)]


def _smaller_side(weight: Tensor, transposed: bool) -> int:
    """Count rows or columns of its matrix, whichever are fewer."""
    rows = weight.shape[1 if transposed else 0]
    return min(rows, weight.numel() // rows)
