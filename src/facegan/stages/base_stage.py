"""The base class of all four stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pytorch_lightning.trainer.states import TrainerFn

from facegan.data import NumberedPair
from facegan.stages.checkpoints import StageCheckpoint, add_stage, fit_to_stage
from facegan.stages.config import typed_arguments
from facegan.stages.optimized_module import OptimizedModule
from facegan.stages.stage_metrics import StageMetrics

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from facegan.data import FacePair
    from facegan.stages.protocol_metrics import ProtocolImages
    from facegan.stages.validation_metrics import MetricValues


class BaseStage(OptimizedModule):
    """Base class of the training stages: losses, metrics and checkpoints.

    A subclass sets ``network`` and ``optimizer``, and implements ``forward`` (a batch to all outputs) and the
    hooks below.
    """

    result_title: ClassVar[str]
    """The title, in ``visualize``, of the stage's result."""
    monitor: ClassVar[str] = "perceptual"
    """The metric whose lowest value selects the best checkpoint."""
    is_motion_conditioned: bool = False
    """Whether the result depends on the driving motion, not on the driving landmarks or image."""
    protocol_interval: int = 1
    """Epochs between two validations with the evaluation protocols."""
    excluded_from_checkpoint: ClassVar[tuple[str, ...]] = ()
    """Prefixes of frozen networks, which are loaded from their own files."""

    def __init__(self) -> None:
        super().__init__()
        # Not part of the stage's state.
        self._metrics: dict[str, StageMetrics] = {}

    # Hooks of subclasses

    def network_config(self) -> dict[str, Any]:
        """Return the arguments of the trained networks, as plain numbers and strings."""
        raise NotImplementedError

    def generator_losses(self, pair: FacePair, output: Any) -> dict[str, Tensor]:
        """Compute the weighted losses of the generators, the adversarial ones apart."""
        raise NotImplementedError

    def losses(self, pair: FacePair, output: Any) -> dict[str, Tensor]:
        """Compute the weighted losses ``generator/…`` and ``discriminator/…``; neither reaches the other."""
        return {f"generator/{name}": loss for name, loss in self.generator_losses(pair, output).items()}

    def compute_metrics(self, pair: FacePair) -> MetricValues:
        """Compute the validation metrics of N pairs, with those of baselines as ``metric/baseline``."""
        raise NotImplementedError

    def protocol_images(self, pair: FacePair, output: Any) -> ProtocolImages:
        """Return the images whose metrics the evaluation protocols have."""
        raise NotImplementedError

    def visualize(self, pair: FacePair) -> dict[str, Tensor]:
        """Return inputs and outputs as images, the source first: title to N×3×H×W or N×1×H×W, -1..1."""
        raise NotImplementedError

    # Training, validation, test, prediction

    def training_step(self, pair: FacePair, batch_idx: int) -> Tensor:
        """Compute the sum of all losses."""
        return self.total_loss(self.losses(pair, self(pair)), len(pair.source_landmarks))

    def on_validation_epoch_start(self) -> None:
        """Decide whether the evaluation protocols are due."""
        interval = self.protocol_interval if self.trainer.state.fn == TrainerFn.FITTING else 1
        due = (self.trainer.current_epoch + 1) % interval == 0 and not self.trainer.sanity_checking
        self._start_metrics("val").protocols_due = due

    def validation_step(
        self, batch: FacePair | NumberedPair, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Update the metrics with a batch of validation pairs, or of pairs of a protocol."""
        self._update_metrics("val", batch, dataloader_idx)

    def on_validation_epoch_end(self) -> None:
        """Log the metrics as ``val/…``."""
        self._log_metrics("val")

    def on_test_epoch_start(self) -> None:
        """Create the metrics."""
        self._start_metrics("test")

    def test_step(self, batch: FacePair | NumberedPair, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Update the metrics with a batch of test pairs, or of pairs of a protocol."""
        self._update_metrics("test", batch, dataloader_idx)

    def on_test_epoch_end(self) -> None:
        """Log the metrics as ``test/…``."""
        self._log_metrics("test")

    def predict_step(self, pair: FacePair, batch_idx: int) -> Any:
        """Return the outputs for a batch."""
        return self(pair)

    def _start_metrics(self, split: str) -> StageMetrics:
        if split not in self._metrics:
            protocols = getattr(self.trainer.datamodule, f"{split}_protocols")  # type: ignore[attr-defined]
            self._metrics[split] = StageMetrics(protocols).to(self.device)
        return self._metrics[split]

    def _update_metrics(self, split: str, batch: FacePair | NumberedPair, loader: int) -> None:
        metrics = self._metrics[split]
        if not isinstance(batch, NumberedPair):
            metrics.update(self.compute_metrics(batch))
        elif metrics.protocols_due:
            metrics.update_protocol(loader, batch, self.protocol_images(batch.pair, self(batch.pair)))

    def _log_metrics(self, split: str) -> None:
        for name, value in self._metrics[split].compute().items():
            self.log(f"{split}/{name}", value, prog_bar=name == self.monitor)

    # Checkpoints

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Path | str, **arguments: Any) -> Self:  # type: ignore[override]
        """Load a stage with its weights and moving average.

        Args:
            checkpoint_path: a checkpoint of this stage.
            arguments: of Lightning's method, and of the stage in place of those of the checkpoint.

        Raises:
            InputError: if the file is missing, damaged, of another stage or of another format version.
        """
        saved = StageCheckpoint(checkpoint_path, cls.__name__).hyperparameters
        return super().load_from_checkpoint(checkpoint_path, **typed_arguments(cls, saved) | arguments)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the stage and its configuration; remove frozen networks."""
        add_stage(checkpoint, type(self).__name__, self.network_config(), self.excluded_from_checkpoint)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse the checkpoint of another stage, or of networks of other sizes."""
        self.create_averages()
        fit_to_stage(checkpoint, type(self).__name__, self.state_dict(), self.excluded_from_checkpoint)
