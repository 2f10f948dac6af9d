"""The networks in PyTorch, on any device that it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from facegan.errors import InputError
from facegan.inference.engines.engine import Frames

if TYPE_CHECKING:
    from torch import Tensor

    from facegan.networks import FaceGAN


class TorchEngine:
    """Computes with PyTorch.

    Args:
        model: the networks; moved to the device and switched to evaluation.
        device: name of a device of PyTorch.

    Attributes:
        size: side S of the pictures in pixels.
        device: where its tensors are to be put.

    Raises:
        InputError: if the model has no landmark transformer, or this machine no such device.
    """

    def __init__(self, model: FaceGAN, device: str = "cpu") -> None:
        if model.landmark_transformer is None:
            msg = "this model was trained without landmark transformer: motion cannot move it"
            raise InputError(msg)
        check_device(device)
        self.model = model.to(device).eval()
        self.device = torch.device(device)
        self.size = model.config.size

    @torch.inference_mode()
    def __call__(self, source: Tensor, landmarks: Tensor, motion: Tensor, background: Tensor) -> Frames:
        """As in :class:`~facegan.inference.engines.Engine`."""
        made = self.model(source, landmarks, motion, background)
        return Frames(made.result, made.landmarks, made.mask)


def check_device(device: str) -> None:
    """Raises InputError unless this machine has a device of PyTorch of that name."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        msg = f"cannot use the device {device!r}: {str(error).splitlines()[0]}"
        raise InputError(msg) from error
