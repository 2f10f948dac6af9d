"""PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from facegan.errors import InputError
from facegan.inference.engines.engine import Engine, Frames
from facegan.networks import FaceGAN

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


class TorchEngine:
    """The networks in PyTorch."""

    def __init__(self, model: FaceGAN, device: str = "cpu") -> None:
        check_device(device)
        if model.landmark_transformer is None:
            msg = "this model was trained without landmark transformer: motion cannot move it"
            raise InputError(msg)
        self.model = model.to(device).eval()
        self.device = torch.device(device)
        self.size = model.config.size

    @torch.inference_mode()
    def __call__(self, source: Tensor, landmarks: Tensor, motion: Tensor, background: Tensor) -> Frames:
        """See :class:`Engine`."""
        made = self.model(source, landmarks, motion, background)
        return Frames(made.result, made.landmarks, made.mask)


def load_engine(name: Path | str, engine: str = "torch", device: str = "cpu") -> Engine:
    """Reads a model."""
    return TorchEngine(FaceGAN.from_pretrained(name), device)


def check_device(device: str) -> None:
    """Raises InputError unless this machine has a device of PyTorch of that name."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        msg = f"cannot use the device {device!r}: {str(error).splitlines()[0]}"
        raise InputError(msg) from error
