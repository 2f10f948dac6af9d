"""Training step of pix2pixHD's public code, the reference for FACEGAN's.

32 bit, memory format N×C×H×W, PyTorch's layers and Adam. The discriminators process the generated images
twice, once for each optimizer's loss, and there are two backward passes, the first of which also computes
unused gradients of the discriminators' weights (``models/pix2pixHD_model.py``, ``train.py``). Networks and
losses are the stage's, so that both steps compute the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.networks.convolution import ReflectConv2d

if TYPE_CHECKING:
    from facegan.data import FacePair
    from facegan.stages.gan_stage import GANStage


class ReferenceStep:
    """Train a stage's networks by pix2pixHD's step.

    Args:
        stage: an untrained stage; its networks are changed in place.
    """

    def __init__(self, stage: GANStage) -> None:
        self.stage = stage.train()
        _use_plain_layers(stage)
        self.generator, self.discriminator = (
            torch.optim.Adam(
                [weight for network in networks for weight in network.parameters() if weight.requires_grad],
                lr=stage.optimizer.learning_rate,
                betas=stage.optimizer.betas,
            )
            for networks in stage.optimizer_groups().values()
        )

    def __call__(self, pair: FacePair) -> dict[str, float]:
        """Take a step and return both losses before it."""
        stage, form = self.stage, self.stage.adversarial.form
        outputs = stage.generate(pair)
        reconstruction_losses = stage.generator_losses(outputs, pair)
        generator_gan_losses, discriminator_gan_losses = [], []
        for name, (fake, real) in stage.discriminator_inputs(outputs, pair).items():
            network = stage.discriminators()[name]
            fake_logits, real_logits = _logits(network(fake.detach())), _logits(network(real))
            discriminator_gan_losses.append(losses.discriminator_loss(real_logits, fake_logits, form))
            generator_gan_losses.append(losses.generator_loss(_logits(network(fake)), form))
        generator = sum(reconstruction_losses.values()) + stage.adversarial.weight * sum(generator_gan_losses)
        discriminator = sum(discriminator_gan_losses)
        self.generator.zero_grad()
        generator.backward()
        self.generator.step()
        self.discriminator.zero_grad()
        discriminator.backward()
        self.discriminator.step()
        return {"generator": generator.item(), "discriminator": discriminator.item()}


def _use_plain_layers(network: nn.Module) -> None:
    """Replace FACEGAN's faster layers by PyTorch's."""
    for layer in network.modules():
        if isinstance(layer, ReflectConv2d):
            layer.__class__ = nn.Conv2d


def _logits(scales: list[list[Tensor]]) -> list[Tensor]:
    return [layers[-1] for layers in scales]
