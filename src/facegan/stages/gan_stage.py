"""The losses of stages 2, 3 and the joint one: a generator against discriminators."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.stages.base_stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facegan.data import FacePair
    from facegan.stages.config import AdversarialConfig

PENALTY_INTERVAL = 16
"""Batches from one gradient penalty to the next."""


class GANStage(Stage):
    """A generator against discriminators, which judge the same generated batch.

    A subclass makes the pictures once (``generate``), says which are judged against which
    (``judged``) and which other losses there are (``terms``).
    """

    adversarial: AdversarialConfig
    frozen: ClassVar[tuple[str, ...]] = ("perceptual.",)

    def discriminators(self) -> dict[str, nn.Module]:
        """The discriminators, by the names that ``judged`` uses."""
        raise NotImplementedError

    def generate(self, pair: FacePair) -> Any:
        """Everything the generators make of a batch."""
        raise NotImplementedError

    def judged(self, made: Any, pair: FacePair) -> dict[str, tuple[Tensor, Tensor]]:
        """For each discriminator the generated and the true pictures."""
        raise NotImplementedError

    def terms(self, made: Any, pair: FacePair) -> dict[str, Tensor]:
        """The weighted losses besides the adversarial one."""
        raise NotImplementedError

    def forward(self, pair: FacePair) -> Any:
        """Same as ``generate``."""
        return self.generate(pair)

    def sides(self) -> dict[str, list[nn.Module]]:
        """The generators, and the discriminators."""
        return {"generator": [self.network], "discriminator": list(self.discriminators().values())}

    def objectives(self, pair: FacePair) -> dict[str, dict[str, Tensor]]:
        """L_adv with the other losses for the generators; the discriminators' own."""
        made = self.generate(pair)
        generator = self.terms(made, pair)
        settings, networks = self.adversarial, self.discriminators()
        deceived, told_apart, matched, penalties = [], [], [], []
        for name, (fake, real) in self.judged(made, pair).items():
            network = networks[name]
            with still(network):
                seen = network(fake)
            seen_real, seen_fake = network(real), network(fake.detach())
            deceived.append(losses.generator_loss(_logits(seen), settings.form))
            told_apart.append(
                losses.discriminator_loss(_logits(seen_real), _logits(seen_fake), settings.form)
            )
            if settings.feature_matching:
                matched.append(losses.feature_matching(seen, seen_real))
            if settings.gradient_penalty and self.batches % PENALTY_INTERVAL == 0:
                penalties.append(_penalty(network, real))
        generator["adversarial"] = settings.weight * torch.stack(deceived).sum()
        if matched:
            generator["feature_matching"] = settings.feature_matching * torch.stack(matched).sum()
        discriminator = {"discrimination": torch.stack(told_apart).sum()}
        if penalties:
            weight = PENALTY_INTERVAL * settings.gradient_penalty
            discriminator["gradient_penalty"] = weight * torch.stack(penalties).sum()
        return {"generator": generator, "discriminator": discriminator}


@contextmanager
def still(network: nn.Module) -> Iterator[None]:
    """What is computed within sends no gradient to the network's parameters."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def _logits(scales: list[list[Tensor]]) -> list[Tensor]:
    """The last layer's output of every scale."""
    return [layers[-1] for layers in scales]


def _penalty(network: nn.Module, real: Tensor) -> Tensor:
    """R1, in the 32 bit of the data."""
    with torch.autocast(real.device.type, enabled=False):
        pictures = real.detach().requires_grad_()
        # Not the compiled call, which has no second derivative.
        return losses.gradient_penalty(_logits(network.forward(pictures)), pictures)
