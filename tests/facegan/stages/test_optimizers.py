"""One optimizer over one backward pass makes the steps of two optimizers over two."""

from __future__ import annotations

import copy

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from facegan.data import FacePair
from facegan.data.face_pair import collate_pairs
from facegan.networks import DiscriminatorConfig, ReenactorConfig
from facegan.stages import ReenactStage
from facegan.stages.config import AdversarialConfig, OptimizerConfig
from facegan.stages.muon import Muon, muon_groups

SIZE, STEPS = 32, 10
SIDES = ("generator", "discriminator")


class RandomPairs(pl.LightningDataModule):
    """The same random pairs in the same order."""

    size = SIZE

    def __init__(self, count: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.pairs = []
        for _ in range(count):
            images = torch.rand(2, 3, SIZE, SIZE, generator=generator) * 2 - 1
            self.pairs.append(
                FacePair(
                    *(torch.rand(68, 2, generator=generator) * 2 - 1, torch.zeros(20)),
                    *(torch.rand(68, 2, generator=generator) * 2 - 1, torch.zeros(20)),
                    source_image=images[0],
                    driving_image=images[1],
                    driving_segmentation=torch.randint(3, (SIZE, SIZE), generator=generator),
                )
            )

    def train_dataloader(self) -> DataLoader[FacePair]:
        return DataLoader(self.pairs, 1, collate_fn=collate_pairs)


def build_stage(muon_lr: float | None) -> ReenactStage:
    torch.manual_seed(0)
    return ReenactStage(
        ReenactorConfig("global", 16, 2, 1),
        DiscriminatorConfig(8),
        perceptual_network="identity",
        adversarial=AdversarialConfig(feature_matching=1),
        optimizer=OptimizerConfig(muon_lr=muon_lr, ema_halflife=0),
    )


def train_with_two_optimizers(
    stage: ReenactStage, pairs: RandomPairs, accumulate: int, clip: float | None, muon_lr: float | None
) -> None:
    """Two optimizers, two losses, two backward passes, as GANs are written down."""
    networks = {"generator": stage.network, "discriminator": stage.discriminator}
    settings = {"lr": 2e-4, "betas": (0.5, 0.999), "fused": True}
    optimizers = {
        side: Muon(muon_groups([network], muon_lr), **settings)
        if muon_lr is not None and side == "generator"
        else torch.optim.Adam(network.parameters(), **settings)
        for side, network in networks.items()
    }
    for number, pair in enumerate(pairs.train_dataloader(), start=1):
        losses = stage.losses(pair, stage(pair))
        for side in SIDES:
            terms = [value for name, value in losses.items() if name.startswith(side)]
            (torch.stack(terms).sum() / accumulate).backward(retain_graph=side == "generator")
        if number % accumulate == 0:
            for optimizer in optimizers.values():
                if clip is not None:
                    # In the optimizer's order, by which the last bit of the norm may differ.
                    parameters = [p for group in optimizer.param_groups for p in group["params"]]
                    torch.nn.utils.clip_grad_norm_(parameters, clip)
                optimizer.step()
                optimizer.zero_grad()


@pytest.mark.slow
@pytest.mark.parametrize("muon_lr", [None, 0.02])
@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_stage_takes_the_steps_of_two_optimizers_bit_for_bit(
    accumulate: int, clip: float | None, muon_lr: float | None
) -> None:
    pairs, stage = RandomPairs(STEPS * accumulate), build_stage(muon_lr)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        precision="32-true",
        accumulate_grad_batches=accumulate,
        gradient_clip_val=clip,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    start = copy.deepcopy(stage.state_dict())
    trainer.fit(stage, pairs)
    assert trainer.global_step == STEPS

    reference = build_stage(muon_lr)
    reference.perceptual = stage.perceptual
    train_with_two_optimizers(reference, pairs, accumulate, clip, muon_lr)
    trained, expected = stage.state_dict(), reference.state_dict()
    for name in start:
        assert torch.equal(trained[name], expected[name]), name
    moved = [name for name in start if not torch.equal(trained[name], start[name])]
    assert {name.partition(".")[0] for name in moved} == {"network", "discriminator"}
