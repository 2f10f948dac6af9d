"""The losses of stages 2, 3 and the joint one: generators against discriminators."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.errors import InputError
from facegan.stages.base_stage import BaseStage
from facegan.stages.perceptual_loss import PerceptualLoss

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytorch_lightning as pl

    from facegan.data import FacePair
    from facegan.networks.reenactor import TwoHeadGenerator
    from facegan.stages.config import AdversarialConfig


class GANStage(BaseStage):
    """A generator against discriminators, both trained on the same generated batch.

    A subclass generates the outputs once (``forward``), and defines which of them the discriminators
    compare with which real images (``discriminator_inputs``).
    """

    network: TwoHeadGenerator
    adversarial: AdversarialConfig
    perceptual: PerceptualLoss
    """Created when a run starts, since it reads a file."""
    excluded_from_checkpoint: ClassVar[tuple[str, ...]] = ("perceptual.",)

    def __init__(self) -> None:
        super().__init__()
        self.register_module("perceptual", None)

    def setup(self, stage: str) -> None:
        """Create the perceptual loss and check that the networks accept the size of the images."""
        if self.perceptual is None:
            self.perceptual = PerceptualLoss(self.hparams["perceptual_network"])
        super().setup(stage)
        require_size(self.trainer, self.network.multiple)

    def discriminators(self) -> dict[str, nn.Module]:
        """Return the discriminators, by the names that ``discriminator_inputs`` uses."""
        raise NotImplementedError

    def discriminator_inputs(self, pair: FacePair, output: Any) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the generated and the real images for each discriminator."""
        raise NotImplementedError

    def trained_networks(self) -> dict[str, list[nn.Module]]:
        """Return the generators and the discriminators."""
        return {"generator": [self.network], "discriminator": list(self.discriminators().values())}

    def losses(self, pair: FacePair, output: Any) -> dict[str, Tensor]:
        """Compute the adversarial and all other losses."""
        return {**super().losses(pair, output), **self.adversarial_losses(pair, output)}

    def adversarial_losses(self, pair: FacePair, output: Any) -> dict[str, Tensor]:
        """Compute L_adv and the feature matching of the generators, and the discriminators' loss."""
        config, discriminators = self.adversarial, self.discriminators()
        generator_gan_losses, discriminator_gan_losses, feature_matching_losses = [], [], []
        for name, (fake, real) in self.discriminator_inputs(pair, output).items():
            discriminator = discriminators[name]
            with freeze_parameters(discriminator):
                fake_features = discriminator(fake)
            real_features, detached_features = discriminator(real), discriminator(fake.detach())
            generator_gan_losses.append(losses.generator_loss(_logits(fake_features), config.form))
            discriminator_gan_losses.append(
                losses.discriminator_loss(_logits(real_features), _logits(detached_features), config.form)
            )
            if config.feature_matching:
                feature_matching_losses.append(losses.feature_matching_loss(fake_features, real_features))
        values = {
            "generator/adversarial": config.weight * torch.stack(generator_gan_losses).sum(),
            "discriminator/adversarial": torch.stack(discriminator_gan_losses).sum(),
        }
        if feature_matching_losses:
            total = torch.stack(feature_matching_losses).sum()
            values["generator/feature_matching"] = config.feature_matching * total
        return values


@contextmanager
def freeze_parameters(network: nn.Module) -> Iterator[None]:
    """Compute without gradients of a network's parameters; restore each parameter's ``requires_grad``."""
    states = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    network.requires_grad_(False)
    try:
        yield
    finally:
        for parameter, requires_grad in states:
            parameter.requires_grad_(requires_grad)


def require_size(trainer: pl.Trainer, multiple: int) -> None:
    """Raise InputError unless the size of the data's images fits the networks."""
    size = trainer.datamodule.size  # type: ignore[attr-defined]
    if size % multiple:
        msg = f"data.init_args.size is {size}: for this generator it must be a multiple of {multiple}"
        raise InputError(msg)


def _logits(scales: list[list[Tensor]]) -> list[Tensor]:
    """Return the last layer's output of every scale."""
    return [layers[-1] for layers in scales]
