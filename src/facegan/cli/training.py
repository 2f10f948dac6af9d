"""Training from the command line: LightningCLI over the four stages."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from jsonargparse import ArgumentError
from lightning_fabric.utilities.exceptions import MisconfigurationException
from lightning_utilities.core.rank_zero import rank_zero_warn
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback

from facegan.cli.commands import TRAINING
from facegan.errors import InputError
from facegan.stages.base_stage import BaseStage
from facegan.stages.callbacks.periodic_checkpoint import PeriodicCheckpoint
from facegan.stages.checkpoints import LAST, read_checkpoint, require_stage
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.precision import computes_bf16

CHECKPOINTS = (
    ("best_checkpoint", ModelCheckpoint, {"filename": "best", "monitor": "val/perceptual"}),
    ("epoch_checkpoint", ModelCheckpoint, {"filename": "last", "save_on_train_epoch_end": True}),
    ("periodic_checkpoint", PeriodicCheckpoint, {"filename": "last", "train_time_interval": "0:15:00"}),
)
"""Name in the configuration, class and defaults of the callbacks that write checkpoints."""
FILES = "-c lightning_config.yaml -c stages/1_landmark_transform.yaml -c data/videos.yaml"


def run(arguments: Sequence[str]) -> None:
    """Run ``fit``, ``validate``, ``test`` or ``predict``.

    Args:
        arguments: the subcommand and what follows it.

    Raises:
        InputError: for wrong keys or values, before the stage is built.
    """
    warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
    warnings.filterwarnings("ignore", message=r"`isinstance\(treespec")
    name = arguments[0]
    example = f"facegan {name} {FILES}"
    if name != "fit":
        example += " --ckpt_path runs/landmark_transform/checkpoints/last.ckpt"
    about = {"exit_on_error": False, "description": f"{TRAINING[name].capitalize()}. Example: {example}"}
    try:
        TrainingCLI(
            BaseStage,
            FacePairDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            seed_everything_default=7,
            save_config_callback=RunConfigCallback,
            save_config_kwargs={"save_to_log_dir": False},
            parser_kwargs={"prog": "facegan", "exit_on_error": False, name: about},
            args=list(arguments),
        )
    except ArgumentError as error:
        raise InputError(_innermost_error(str(error))) from error
    except ValueError as error:
        # What a class refuses while it is built arrives wrapped by jsonargparse.
        if not isinstance(error.__cause__, InputError):
            raise
        raise InputError(str(error.__cause__)) from error


class TrainingCLI(LightningCLI):
    """LightningCLI that refuses another stage's checkpoint instead of adopting its configuration."""

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """Return the typed subcommand alone, since the parser of each takes time to build."""
        return {name: skip for name, skip in super().subcommands().items() if name in self.parser_kwargs}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the checkpoints of every run: the best, the last of an epoch, and one every few minutes."""
        for key, checkpoint, settings in CHECKPOINTS:
            parser.add_lightning_class_args(checkpoint, key)
            common = {"enable_version_counter": False, "auto_insert_metric_name": False}
            parser.set_defaults({f"{key}.{name}": value for name, value in (common | settings).items()})
            parser.link_arguments("trainer.default_root_dir", f"{key}.dirpath", compute_fn=_checkpoint_folder)

    def before_instantiate_classes(self) -> None:
        """Train in 32 bit where the CPU emulates bf16."""
        trainer = self.config[self.config.subcommand].trainer
        if trainer.precision == "bf16-mixed" and not _computes_bf16(trainer.accelerator):
            rank_zero_warn("this CPU has no bf16 instructions: trainer.precision is 32-true")
            trainer.precision = "32-true"

    def instantiate_trainer(self, **settings: Any) -> pl.Trainer:
        """Convert the trainer's errors about its arguments to InputError."""
        try:
            return super().instantiate_trainer(**settings)
        except (MisconfigurationException, ValueError) as error:
            msg = f"trainer: {error}"
            raise InputError(msg) from error

    def before_fit(self) -> None:
        """Tell the trainer the checkpoint early: the joint stage builds its networks from it."""
        config = self.config_init[self.config.subcommand]
        path = config.get("ckpt_path")
        if path == "last":
            path = Path(_checkpoint_folder(config.trainer.default_root_dir)) / LAST
            path = str(path) if path.exists() else None
        if path not in (None, "best", "hpc", "registry"):
            self.trainer.ckpt_path = path
            config.ckpt_path = None

    before_validate = before_test = before_predict = before_fit

    def _parse_ckpt_path(self) -> None:
        """Check the checkpoint's stage; Lightning would replace the configured model by the checkpoint's."""
        path = self.config[self.config.subcommand].get("ckpt_path")
        if path not in (None, "last", "best", "hpc", "registry"):
            stage = self.config[self.config.subcommand].model.class_path.rpartition(".")[2]
            require_stage(read_checkpoint(Path(path)), stage, path)


class RunConfigCallback(SaveConfigCallback):
    """Saves the whole configuration in the run's folder."""

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Write ``config.yaml``."""
        folder = Path(trainer.default_root_dir)
        folder.mkdir(parents=True, exist_ok=True)
        self.parser.save(
            self.config, folder / "config.yaml", skip_check=False, overwrite=True, multifile=False
        )


def _checkpoint_folder(root: Any) -> str:
    return str(Path(root or ".") / "checkpoints")


def _computes_bf16(accelerator: str) -> bool:
    """Check whether the device that the trainer will choose has bf16 instructions."""
    on_cpu = accelerator == "cpu" or (accelerator == "auto" and not torch.accelerator.is_available())
    return not on_cpu or computes_bf16(torch.device("cpu"))


def _innermost_error(message: str) -> str:
    """Reduce jsonargparse's nested message to the error of the matching type."""
    line = " ".join(message.split())
    line = re.sub(
        r"Does not validate against any of the Union subtypes Subtypes: .*? Errors: (- )?", "", line
    )
    return re.sub(r" (- )?Expected a <class 'NoneType'>.*", "", line)
