"""Inference with PyTorch on any of its devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from facegan.errors import InputError
from facegan.inference.engines.engine import Frames

if TYPE_CHECKING:
    from torch import Tensor

    from facegan.geometry.head_alignment import SourceFace
    from facegan.networks import FaceGAN


class TorchEngine:
    """Run a model with PyTorch.

    Args:
        model: the networks; moved to the device and switched to evaluation.
        device: PyTorch device.

    Attributes:
        size: side S of the images in pixels.
        device: device of its tensors.

    Raises:
        InputError: if the model has no landmark transformer, or the device does not exist.
    """

    def __init__(self, model: FaceGAN, device: str = "cpu") -> None:
        if model.landmark_transformer is None:
            msg = "this model was trained without landmark transformer: it cannot be driven by motion"
            raise InputError(msg)
        check_device(device)
        self.model = model.to(device).eval()
        self.device = torch.device(device)
        self.size = model.config.size

    @torch.inference_mode()
    def __call__(self, source: SourceFace, motion: Tensor, background: Tensor) -> Frames:
        """Run the networks, see :class:`~facegan.inference.engines.Engine`."""
        output = self.model(source, motion, background)
        return Frames(output.result, output.landmarks, output.mask)


def check_device(device: str) -> None:
    """Check that a PyTorch device exists.

    Raises:
        InputError: if it does not.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        msg = f"cannot use the device {device!r}: {str(error).splitlines()[0]}"
        raise InputError(msg) from error
