"""Checkpoint files: atomic writing, and reading those of an earlier stage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning_utilities.core.rank_zero import rank_zero_warn
from pytorch_lightning.plugins.io import TorchCheckpointIO

from facegan.errors import InputError
from facegan.io.atomic import atomic_file

if TYPE_CHECKING:
    from torch import Tensor

CHECKPOINT_VERSION = 3
VERSION_KEY, STAGE_KEY, CONFIG_KEY = "facegan_version", "facegan_stage", "facegan_config"
LAST, PREVIOUS = "last.ckpt", "previous.ckpt"


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint atomically and keeps the last but one.

    A ``last.ckpt`` that cannot be read is replaced by ``previous.ckpt`` of the same folder, with a warning.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write to a temporary file, then rename it."""
        path = Path(path)
        with atomic_file(path, overwrite=True) as temporary:
            try:
                _write(checkpoint, temporary)
            except (OSError, RuntimeError) as error:
                # PyTorch's writer wraps the error of a full disk.
                cause = error if isinstance(error, OSError) else error.__context__
                if not isinstance(cause, OSError):
                    raise
                raise OSError(cause.errno, cause.strerror, str(path)) from error
            if path.name == LAST and path.exists():
                # A link, so that there is a last one at every moment.
                previous = path.with_name(PREVIOUS)
                previous.unlink(missing_ok=True)
                previous.hardlink_to(path)

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint without running any code in it."""
        return read_checkpoint(Path(path))


class StageCheckpoint:
    """The configuration and weights of a trained stage.

    Args:
        path: a checkpoint file.
        stage: class name of the stage that it must be of.

    Attributes:
        config: arguments of its networks.
        hyperparameters: all arguments of the stage.

    Raises:
        InputError: if the file is missing, damaged, of another stage or of another format version.
    """

    def __init__(self, path: Path | str, stage: str) -> None:
        self.path = Path(path)
        content = read_checkpoint(self.path)
        require_stage(content, stage, self.path)
        self.config: dict[str, Any] = content[CONFIG_KEY]
        self.hyperparameters: dict[str, Any] = content["hyper_parameters"]
        self._weights: dict[str, Tensor] = content["state_dict"]

    def weights(self, name: str) -> dict[str, Tensor]:
        """Return the state of one network by its attribute's name; averaged if there is an average."""
        stage, _, attribute = name.rpartition(".")
        averaged, trained = (
            {key.removeprefix(start): value for key, value in self._weights.items() if key.startswith(start)}
            for start in (f"{stage}.ema.{attribute}.".removeprefix("."), f"{name}.")
        )
        return averaged or trained


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a Lightning checkpoint without running any code in it; for ``last.ckpt`` see AtomicCheckpointIO.

    Raises:
        InputError: if the file is missing or damaged.
    """
    try:
        return _read(path)
    except InputError as error:
        previous = path.with_name(PREVIOUS)
        if path.name != LAST or not previous.exists():
            raise
        content = _read(previous)
        rank_zero_warn(f"{error}; the previous checkpoint {previous} is used instead")
        return content


def add_stage(
    checkpoint: dict[str, Any], stage: str, config: dict[str, Any], excluded: tuple[str, ...]
) -> None:
    """Add stage, configuration and format to a checkpoint; remove the weights of frozen networks.

    Args:
        checkpoint: Lightning's, changed in place.
        stage: class name of the stage.
        config: arguments of its networks.
        excluded: prefixes of the weights to remove.
    """
    checkpoint[VERSION_KEY], checkpoint[STAGE_KEY], checkpoint[CONFIG_KEY] = CHECKPOINT_VERSION, stage, config
    weights = checkpoint["state_dict"]
    checkpoint["state_dict"] = {k: v for k, v in weights.items() if not k.startswith(excluded)}


def fit_to_stage(
    checkpoint: dict[str, Any], stage: str, own: dict[str, Tensor], excluded: tuple[str, ...]
) -> None:
    """Prepare a checkpoint for a stage: frozen networks from the stage, a moving average if it needs one.

    Args:
        checkpoint: Lightning's, changed in place.
        stage: class name of the stage.
        own: the stage's state.
        excluded: prefixes of weights that checkpoints do not contain.

    Raises:
        InputError: if it is of another stage, or of networks of other sizes.
    """
    require_stage(checkpoint, stage)
    saved = checkpoint["state_dict"]
    saved |= {name: value for name, value in own.items() if name.startswith(excluded)}
    for name in own:
        trained = name.replace("ema.network.", "network.")
        if name not in saved and "ema." in name:
            saved[name] = (saved[trained] if trained in saved else own[name]).clone()
    averaged = any("ema." in name for name in own)
    checkpoint["state_dict"] = {k: v for k, v in saved.items() if averaged or "ema." not in k}
    _require_same_sizes(checkpoint["state_dict"], own)


def require_stage(checkpoint: dict[str, Any], name: str, path: object = "this") -> None:
    """Raise InputError unless a checkpoint is one of the named stage in this release's format."""
    found = checkpoint.get(STAGE_KEY)
    if found != name:
        kind = f"a checkpoint of {found}" if found else "no checkpoint of facegan"
        msg = f"{path} is {kind}; one of {name} is needed"
        raise InputError(msg)
    version = checkpoint.get(VERSION_KEY, 1)
    if version != CHECKPOINT_VERSION:
        msg = f"{path} has checkpoint format {version}, not {CHECKPOINT_VERSION}: train that stage again"
        raise InputError(msg)


def _require_same_sizes(saved: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    for name in sorted(saved.keys() | own.keys()):
        theirs, ours = (tuple(some[name].shape) if name in some else "absent" for some in (saved, own))
        if theirs != ours:
            msg = f"the checkpoint is of networks of other sizes: {name} is {theirs} there, {ours} here"
            raise InputError(msg)


def _write(checkpoint: dict[str, Any], path: Path) -> None:
    with path.open("wb") as file:
        torch.save(checkpoint, file)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        msg = f"{path} does not exist: train that stage first, or give the path of its checkpoint"
        raise InputError(msg) from error
    except Exception as error:  # a damaged file raises errors of every kind
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        msg = f"{path} is not a readable checkpoint: {reason}"
        raise InputError(msg) from error
    if not isinstance(content, dict):
        msg = f"{path} is not a checkpoint"
        raise InputError(msg)
    return content
