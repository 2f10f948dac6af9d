"""Pictures of what a stage does, after every validation: into the run's folder and to the logger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor
from torch.utils.data import default_collate

from facegan.stages.stage import Stage

if TYPE_CHECKING:
    from facegan.stages.pair_data import PairData

COLOURS = torch.tensor([[0.0, 0.0, 0.0], [0.9, 0.7, 0.6], [0.35, 0.5, 0.8]])
"""Of background, face and hair, 0..1."""

TITLE_HEIGHT = 22


class Panels(pl.Callback):
    """Draws fixed validation pairs, a row each, with the stage's pictures as columns.

    Args:
        pairs: how many rows.
    """

    def __init__(self, pairs: int = 6) -> None:
        self.pairs = pairs

    @rank_zero_only
    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Writes ``panels/epoch_0003.png`` and logs the same picture."""
        assert isinstance(pl_module, Stage)
        if trainer.sanity_checking:
            return
        data: PairData = trainer.datamodule  # type: ignore[attr-defined]
        chosen = np.linspace(0, len(data.val) - 1, min(self.pairs, len(data.val))).round().astype(int)
        pair = default_collate([data.val[int(index)] for index in chosen])
        with torch.no_grad(), trainer.precision_plugin.forward_context():
            columns = pl_module.panels({name: value.to(pl_module.device) for name, value in pair.items()})
        sheet = draw(columns)
        folder = Path(trainer.default_root_dir) / "panels"
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(
            str(folder / f"epoch_{trainer.current_epoch:04d}.png"), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
        )
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                # Without a step of its own it joins the validation's numbers.
                logger.log_image("val/panels", [sheet])


def draw(columns: dict[str, Tensor]) -> np.ndarray:
    """A sheet with a column for every title.

    Args:
        columns: title to N×3×H×W or N×1×H×W in -1..1.

    Returns:
        H'×W'×3, RGB, 8 bit.
    """
    strips = []
    for title, pictures in columns.items():
        rgb = pictures.float().expand(-1, 3, -1, -1)
        pixels = ((rgb + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
        strip = np.concatenate(list(pixels))
        header = np.full((TITLE_HEIGHT, strip.shape[1], 3), 255, np.uint8)
        cv2.putText(header, title, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
        strips.append(np.concatenate((header, strip)))
    return np.concatenate(strips, axis=1)


def label_colours(segmentation: Tensor) -> Tensor:
    """A segmentation N×H×W as pictures N×3×H×W in -1..1."""
    return COLOURS.to(segmentation.device)[segmentation.long()].permute(0, 3, 1, 2) * 2 - 1
