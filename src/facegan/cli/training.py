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
from pytorch_lightning.cli import LightningCLI, SaveConfigCallback

from facegan.cli.commands import TRAINING
from facegan.errors import InputError
from facegan.stages.base_stage import Stage, require_stage
from facegan.stages.checkpoints import read_checkpoint
from facegan.stages.pair_data_module import FacePairDataModule
from facegan.stages.precision import computes_bf16

FILES = "-c lightning_config.yaml -c stages/1_landmark_transform.yaml -c data/videos.yaml"


def run(arguments: Sequence[str]) -> None:
    """Runs ``fit``, ``validate``, ``test`` or ``predict``.

    Args:
        arguments: the subcommand and what follows it.

    Raises:
        InputError: for wrong keys or values, before anything is built.
    """
    warnings.filterwarnings("ignore", message="LightningCLI's args parameter")
    warnings.filterwarnings("ignore", message="You have overridden `on_after_batch_transfer`")
    warnings.filterwarnings("ignore", message=r"`isinstance\(treespec")
    # It is resumable: the order of the data follows from the number of batches done.
    warnings.filterwarnings("ignore", message="You're resuming from a checkpoint that ended before")
    about = {
        name: {
            "exit_on_error": False,
            "description": f"{what.capitalize()}. Example: facegan {name} {FILES}"
            + (" --ckpt_path runs/landmark_transform/checkpoints/last.ckpt" if name != "fit" else ""),
        }
        for name, what in TRAINING.items()
    }
    try:
        TrainingCLI(
            Stage,
            FacePairDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            seed_everything_default=7,
            save_config_callback=RunConfig,
            save_config_kwargs={"save_to_log_dir": False},
            parser_kwargs={"prog": "facegan", "exit_on_error": False, **about},
            args=list(arguments),
        )
    except ArgumentError as error:
        raise InputError(_innermost(str(error))) from error
    except ValueError as error:
        # What a class refuses while it is built arrives wrapped by jsonargparse.
        if not isinstance(error.__cause__, InputError):
            raise
        raise InputError(str(error.__cause__)) from error


class TrainingCLI(LightningCLI):
    """LightningCLI that refuses another stage's checkpoint instead of becoming that stage."""

    def before_instantiate_classes(self) -> None:
        """Says where the settings are that these stages have instead of the trainer's."""
        trainer = self.config[self.config.subcommand].trainer
        for theirs, unset, ours in (
            ("gradient_clip_val", None, "gradient_clip"),
            ("accumulate_grad_batches", 1, "accumulate"),
        ):
            if trainer[theirs] != unset:
                msg = f"trainer.{theirs} does nothing here: set model.init_args.optimizer.{ours}"
                raise InputError(msg)
        if trainer.precision == "bf16-mixed" and not _computes_bf16(trainer.accelerator):
            rank_zero_warn("this processor has no bf16 instructions: trainer.precision is 32-true")
            trainer.precision = "32-true"

    def instantiate_trainer(self, **settings: Any) -> pl.Trainer:
        """What the trainer refuses is the user's to mend."""
        try:
            return super().instantiate_trainer(**settings)
        except (MisconfigurationException, ValueError) as error:
            msg = f"trainer: {error}"
            raise InputError(msg) from error

    def _parse_ckpt_path(self) -> None:
        """Lightning would overwrite the configured model by what the checkpoint names."""
        path = self.config[self.config.subcommand].get("ckpt_path")
        if path not in (None, "last", "best", "hpc", "registry"):
            stage = self.config[self.config.subcommand].model.class_path.rpartition(".")[2]
            require_stage(read_checkpoint(Path(path)), stage, path)


class RunConfig(SaveConfigCallback):
    """Keeps the whole configuration in the run's folder."""

    def save_config(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Writes ``config.yaml``."""
        folder = Path(trainer.default_root_dir)
        folder.mkdir(parents=True, exist_ok=True)
        self.parser.save(
            self.config, folder / "config.yaml", skip_check=False, overwrite=True, multifile=False
        )


def _computes_bf16(accelerator: str) -> bool:
    """Whether what the trainer will choose has instructions for it."""
    on_processor = accelerator == "cpu" or (accelerator == "auto" and not torch.accelerator.is_available())
    return not on_processor or computes_bf16(torch.device("cpu"))


def _innermost(message: str) -> str:
    """Jsonargparse's nested message without the types that the value is not."""
    line = " ".join(message.split())
    line = re.sub(
        r"Does not validate against any of the Union subtypes Subtypes: .*? Errors: (- )?", "", line
    )
    return re.sub(r" (- )?Expected a <class 'NoneType'>.*", "", line)
