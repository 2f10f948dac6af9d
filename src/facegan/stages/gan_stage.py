"""The losses of stages 2, 3 and the joint one: generators against discriminators."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.stages.base_stage import BaseStage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facegan.data import FacePair
    from facegan.stages.config import AdversarialConfig


class GANStage(BaseStage):
    """A generator against discriminators, both trained on the same generated batch.

    A subclass generates the outputs once (``generate``), and defines which of them the discriminators
    compare with which real images (``discriminator_inputs``) and the other losses (``generator_losses``).
    """

    adversarial: AdversarialConfig
    excluded_from_checkpoint: ClassVar[tuple[str, ...]] = ("perceptual.",)

    def discriminators(self) -> dict[str, nn.Module]:
        """Return the discriminators, by the names that ``discriminator_inputs`` uses."""
        raise NotImplementedError

    def generate(self, pair: FacePair) -> Any:
        """Compute all outputs of the generators for a batch."""
        raise NotImplementedError

    def discriminator_inputs(self, outputs: Any, pair: FacePair) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the generated and the real images for each discriminator."""
        raise NotImplementedError

    def generator_losses(self, outputs: Any, pair: FacePair) -> dict[str, Tensor]:
        """Compute the weighted losses besides the adversarial one."""
        raise NotImplementedError

    def forward(self, pair: FacePair) -> Any:
        """Return ``generate``."""
        return self.generate(pair)

    def optimizer_groups(self) -> dict[str, list[nn.Module]]:
        """Return the generators and the discriminators."""
        return {"generator": [self.network], "discriminator": list(self.discriminators().values())}

    def compute_losses(self, pair: FacePair) -> dict[str, dict[str, Tensor]]:
        """Compute L_adv with the other losses for the generators, and the discriminators' loss."""
        outputs = self.generate(pair)
        generator_losses = self.generator_losses(outputs, pair)
        config, discriminators = self.adversarial, self.discriminators()
        generator_gan_losses, discriminator_gan_losses, feature_matching_losses = [], [], []
        for name, (fake, real) in self.discriminator_inputs(outputs, pair).items():
            discriminator = discriminators[name]
            with frozen_parameters(discriminator):
                fake_features = discriminator(fake)
            real_features, detached_features = discriminator(real), discriminator(fake.detach())
            generator_gan_losses.append(losses.generator_loss(_logits(fake_features), config.form))
            discriminator_gan_losses.append(
                losses.discriminator_loss(_logits(real_features), _logits(detached_features), config.form)
            )
            if config.feature_matching:
                feature_matching_losses.append(losses.feature_matching_loss(fake_features, real_features))
        generator_losses["adversarial"] = config.weight * torch.stack(generator_gan_losses).sum()
        if feature_matching_losses:
            total = torch.stack(feature_matching_losses).sum()
            generator_losses["feature_matching"] = config.feature_matching * total
        discriminator_losses = {"adversarial": torch.stack(discriminator_gan_losses).sum()}
        return {"generator": generator_losses, "discriminator": discriminator_losses}


@contextmanager
def frozen_parameters(network: nn.Module) -> Iterator[None]:
    """Compute without gradients of a network's parameters; restore each parameter's ``requires_grad``."""
    states = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    network.requires_grad_(False)
    try:
        yield
    finally:
        for parameter, requires_grad in states:
            parameter.requires_grad_(requires_grad)


def _logits(scales: list[list[Tensor]]) -> list[Tensor]:
    """Return the last layer's output of every scale."""
    return [layers[-1] for layers in scales]
