"""Convert a checkpoint of the joint stage to a model folder."""

from __future__ import annotations

from pathlib import Path

from facegan.io.atomic import atomic_folder
from facegan.networks import FaceGAN, FaceGANConfig
from facegan.networks.facegan import CONFIG
from facegan.stages.checkpoints import StageCheckpoint


def bundle(checkpoint: Path, out: Path, *, overwrite: bool = False) -> None:
    """Write the averaged weights and the configuration, without discriminators and optimizers.

    Args:
        checkpoint: of the joint stage.
        out: folder for ``config.json`` and ``model.safetensors``.
        overwrite: replace an existing model folder.

    Raises:
        InputError: if the checkpoint is another stage's, or ``out`` is in use.
    """
    trained = StageCheckpoint(checkpoint, "JointStage")
    model = FaceGAN(FaceGANConfig(**trained.config["model"]))
    model.reenactor.load_state_dict(trained.weights("reenact.network"))
    model.background_mixer.load_state_dict(trained.weights("background_mix.network"))
    if model.landmark_transformer is not None:
        model.landmark_transformer.load_state_dict(trained.weights("landmark_transform.network"))
    with atomic_folder(out, marker=CONFIG, overwrite=overwrite) as folder:
        model.save_pretrained(folder)
