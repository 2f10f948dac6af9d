"""What all four stages share: a name in their checkpoints, and panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl

from facegan.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from facegan.data import Pair

STAGE_KEY, CONFIG_KEY = "facegan_stage", "facegan_config"


class Stage(pl.LightningModule):
    """One of the training stages.

    Its checkpoints carry the stage's name, and the arguments of its networks by which a later
    stage builds them.
    """

    def network_config(self) -> dict[str, Any]:
        """Arguments of the trained networks, as plain numbers and strings."""
        raise NotImplementedError

    def measure(self, pair: Pair) -> dict[str, Tensor]:
        """What a batch of pairs that is not trained on is measured by, beside naive baselines."""
        raise NotImplementedError

    def validation_step(self, pair: Pair, batch_index: int) -> None:
        """Logs ``measure`` as ``val/…``."""
        self._log_measures("val", pair)

    def test_step(self, pair: Pair, batch_index: int) -> None:
        """Logs ``measure`` as ``test/…``."""
        self._log_measures("test", pair)

    def predict_step(self, pair: Pair, batch_index: int) -> Any:
        """What the stage's networks make of a batch."""
        return self(pair)

    def _log_measures(self, prefix: str, pair: Pair) -> None:
        values = {f"{prefix}/{name}": value for name, value in self.measure(pair).items()}
        batch = len(pair["source_landmarks"])
        self.log_dict(values, batch_size=batch, sync_dist=True, prog_bar=True)

    def panels(self, pair: Pair) -> dict[str, Tensor]:
        """Pictures that show what the stage does: title to N×3×H×W or N×1×H×W, in -1..1."""
        raise NotImplementedError

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds the stage's name and its networks' arguments."""
        checkpoint[STAGE_KEY] = type(self).__name__
        checkpoint[CONFIG_KEY] = self.network_config()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses another stage's checkpoint."""
        require_stage(checkpoint, type(self).__name__)


def require_stage(checkpoint: dict[str, Any], name: str, path: object = "this") -> None:
    """Raises InputError unless a checkpoint is one of the named stage."""
    found = checkpoint.get(STAGE_KEY)
    if found != name:
        kind = f"a checkpoint of {found}" if found else "no checkpoint of facegan"
        msg = f"{path} is {kind}; one of {name} is needed"
        raise InputError(msg)
