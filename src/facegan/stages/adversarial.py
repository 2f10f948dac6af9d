"""The adversarial step of stages 2, 3 and the joint one: two optimisers in one pass over a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from facegan import losses
from facegan.stages.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytorch_lightning.core.optimizer import LightningOptimizer

    from facegan.data import Pair

FROZEN = "perceptual."


class AdversarialStage(Stage):
    """A generator against discriminators.

    A subclass makes the pictures once (``generate``), says which are judged against which
    (``judged``) and which other losses there are (``terms``). Its perceptual loss, if it has one, is
    called ``perceptual``. The hyperparameters it saves must hold
    ``learning_rate``, ``betas``, ``adversarial_weight``, ``adversarial_form`` and ``gradient_clip``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def generators(self) -> Iterable[nn.Module]:
        """The networks of the first optimiser."""
        raise NotImplementedError

    def discriminators(self) -> dict[str, nn.Module]:
        """The networks of the second optimiser, by the names that ``judged`` uses."""
        raise NotImplementedError

    def generate(self, pair: Pair) -> Any:
        """Everything the generators make of a batch."""
        raise NotImplementedError

    def judged(self, made: Any, pair: Pair) -> dict[str, tuple[Tensor, Tensor]]:
        """For each discriminator the generated and the true pictures."""
        raise NotImplementedError

    def terms(self, made: Any, pair: Pair) -> dict[str, Tensor]:
        """The weighted losses besides the adversarial one."""
        raise NotImplementedError

    def forward(self, pair: Pair) -> Any:
        """Same as ``generate``."""
        return self.generate(pair)

    def training_step(self, pair: Pair, batch_index: int) -> None:
        """One step of the generators, then one of the discriminators, on one generated batch."""
        generator_optimizer, discriminator_optimizer = self.optimizers()  # type: ignore[attr-defined]
        made = self.generate(pair)
        judged = self.judged(made, pair)
        with self.toggled_optimizer(generator_optimizer):
            terms = self.terms(made, pair)
            terms["adversarial"] = self.hparams["adversarial_weight"] * self._adversarial(judged)
            generator_total = torch.stack(list(terms.values())).sum()
            self._step(generator_optimizer, generator_total)
        with self.toggled_optimizer(discriminator_optimizer):
            discriminator_total = self._discrimination(judged)
            self._step(discriminator_optimizer, discriminator_total)
        self.log_dict({f"train/{name}": value.detach() for name, value in terms.items()})
        totals = {"train/generator": generator_total, "train/discriminator": discriminator_total}
        self.log_dict({name: value.detach() for name, value in totals.items()}, prog_bar=True)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for the generators, Adam for the discriminators."""
        settings = {"lr": self.hparams["learning_rate"], "betas": tuple(self.hparams["betas"])}
        sides = (self.generators(), self.discriminators().values())
        return [
            torch.optim.Adam([p for network in side for p in network.parameters()], **settings)
            for side in sides
        ]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leaves the frozen perceptual network out: it comes with the model files."""
        super().on_save_checkpoint(checkpoint)
        weights = checkpoint["state_dict"]
        checkpoint["state_dict"] = {k: v for k, v in weights.items() if not k.startswith(FROZEN)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Puts it back."""
        super().on_load_checkpoint(checkpoint)
        frozen = {k: v for k, v in self.state_dict().items() if k.startswith(FROZEN)}
        checkpoint["state_dict"] |= frozen

    def _adversarial(self, judged: dict[str, tuple[Tensor, Tensor]]) -> Tensor:
        """The generators' adversarial loss, summed over discriminators."""
        networks, form = self.discriminators(), self.hparams["adversarial_form"]
        return torch.stack(
            [losses.generator_loss(_logits(networks[name](fake)), form) for name, (fake, _) in judged.items()]
        ).sum()

    def _discrimination(self, judged: dict[str, tuple[Tensor, Tensor]]) -> Tensor:
        """The discriminators' loss, summed."""
        networks, form = self.discriminators(), self.hparams["adversarial_form"]
        return torch.stack(
            [
                losses.discriminator_loss(
                    _logits(networks[name](real)), _logits(networks[name](fake.detach())), form
                )
                for name, (fake, real) in judged.items()
            ]
        ).sum()

    def _step(self, optimizer: LightningOptimizer, loss: Tensor) -> None:
        optimizer.zero_grad()
        self.manual_backward(loss)
        if self.hparams["gradient_clip"] is not None:
            self.clip_gradients(
                optimizer,  # type: ignore[arg-type]
                gradient_clip_val=self.hparams["gradient_clip"],
                gradient_clip_algorithm="norm",
            )
        optimizer.step()


def _logits(scales: list[list[Tensor]]) -> list[Tensor]:
    """The last layer's output of every scale."""
    return [layers[-1] for layers in scales]
