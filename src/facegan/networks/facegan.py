"""The whole model: landmark transformer, face reenactor and background mixer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from facegan.errors import InputError
from facegan.networks.compositing import head_probability
from facegan.networks.config import MixerConfig, ReenactorConfig
from facegan.networks.landmark_transformer import LandmarkTransformer
from facegan.networks.reenactor import BackgroundMixer, FaceReenactor, mix_background, reenact_face

if TYPE_CHECKING:
    from facegan.geometry.head_alignment import SourceFace

CONFIG, WEIGHTS = "config.json", "model.safetensors"
FORMAT_VERSION = 2
"""Of the model folder; written to and checked in ``config.json``."""


@dataclass(frozen=True)
class FaceGANConfig:
    """Everything needed to build the model without its weights."""

    size: int = 256
    """Height and width of the images in pixels."""
    sigma: float = 0.02
    """Standard deviation of a drawn landmark, in the landmarks' units."""
    landmark_transformer: dict[str, Any] = field(default_factory=dict)
    """Arguments of :class:`LandmarkTransformer`."""
    reenactor: dict[str, Any] = field(default_factory=dict)
    """Fields of the face reenactor's :class:`ReenactorConfig`."""
    background_mixer: dict[str, Any] = field(default_factory=dict)
    """Fields of the background mixer's :class:`MixerConfig`."""
    transform_landmarks: bool = True
    """False is the paper's ablation without L_T (Table 1): the driving frame's landmarks are drawn."""


class Reenactment(NamedTuple):
    """All intermediate and final outputs of the model: l_t and those of G_r and G_b."""

    landmarks: Tensor
    """l_t, N×68×2."""
    heatmap: Tensor
    """H_t, N×1×H×W."""
    face: Tensor
    """I_fr, N×3×H×W in -1..1."""
    segmentation: Tensor
    """Logits of S_fr, N×3×H×W."""
    head: Tensor
    """I'_fr, N×3×H×W."""
    foreground: Tensor
    """I_c, N×3×H×W in -1..1."""
    mask: Tensor
    """M, N×1×H×W in 0..1."""
    result: Tensor
    """I_r, N×3×H×W in -1..1."""


class FaceGAN(nn.Module):
    """FACEGAN: reenacts one source image by action units and head pose.

    Args:
        config: sizes of the networks.

    Attributes:
        landmark_transformer: L_T; None if the configuration's ``transform_landmarks`` is False.
        reenactor: G_r.
        background_mixer: G_b.
    """

    def __init__(self, config: FaceGANConfig) -> None:
        super().__init__()
        self.config = config
        self.landmark_transformer = (
            LandmarkTransformer(**config.landmark_transformer) if config.transform_landmarks else None
        )
        self.reenactor = FaceReenactor(ReenactorConfig(**config.reenactor))
        self.background_mixer = BackgroundMixer(MixerConfig(**config.background_mixer))

    def forward(
        self,
        source: SourceFace,
        motion: Tensor,
        background: Tensor,
        landmarks: Tensor | None = None,
    ) -> Reenactment:
        """Reenact source faces.

        Args:
            source: I_s, its segmentation, l_s and the source's own motion.
            motion: AU_d, N×20.
            background: I_b, N×3×H×W, zero where the source's head is; or another background.
            landmarks: target landmarks N×68×2 to use instead of the transformer's (ablation
                without L_T: the driving frame's).

        Raises:
            ValueError: if the model has no landmark transformer and is given no landmarks.
        """
        if landmarks is None:
            if self.landmark_transformer is None:
                msg = "this model has no landmark transformer: it needs the landmarks to draw"
                raise ValueError(msg)
            landmarks = self.landmark_transformer(source.landmarks, motion)
        reenacted = reenact_face(self.reenactor, source, landmarks, motion, self.config.sigma)
        mixed = mix_background(
            self.background_mixer, reenacted.head, background, head_probability(reenacted.segmentation)
        )
        return Reenactment(landmarks, *reenacted, *mixed)

    def save_pretrained(self, folder: Path | str) -> None:
        """Write ``config.json`` and ``model.safetensors`` into an existing or new folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        content = {"version": FORMAT_VERSION, **asdict(self.config)}
        (folder / CONFIG).write_text(json.dumps(content, indent=2) + "\n")
        weights = {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        # Not save_file: it reports a full disk as an error of its own kind.
        (folder / WEIGHTS).write_bytes(save(weights, metadata={"format": "pt"}))

    @classmethod
    def from_pretrained(cls, name: Path | str) -> Self:
        """Load a model folder, or a repository of the Hugging Face hub (``owner/name``).

        Raises:
            InputError: if it is neither, of another format version, or its weights do not fit its
                configuration.
        """
        folder = Path(name)
        if not folder.exists():
            folder = _download(str(name))
        if not (folder / CONFIG).is_file() or not (folder / WEIGHTS).is_file():
            msg = f"{folder} is not a model folder: it lacks {CONFIG} or {WEIGHTS} (facegan bundle makes one)"
            raise InputError(msg)
        config = _read_config(folder)
        try:
            # No random initialization, which would take seconds and be overwritten.
            with torch.device("meta"):
                model = cls(FaceGANConfig(**config))
            # Copies, since the file may change while the model is in use.
            weights = {name: tensor.clone() for name, tensor in load_file(folder / WEIGHTS).items()}
            model.load_state_dict(weights, assign=True)
        except (TypeError, ValueError, RuntimeError, SafetensorError) as error:
            raise _damaged(folder, error) from error
        return model.eval()


def _read_config(folder: Path) -> dict[str, Any]:
    """Read the fields of :class:`FaceGANConfig`; refuse another format version."""
    try:
        content = dict(json.loads((folder / CONFIG).read_text()))
    except (TypeError, ValueError) as error:
        raise _damaged(folder, error) from error
    version = content.pop("version", 1)
    if version != FORMAT_VERSION:
        msg = (
            f"{folder} has model format {version}, not {FORMAT_VERSION}: train with this release, "
            "then write the folder with facegan bundle"
        )
        raise InputError(msg)
    return content


def _damaged(folder: Path, error: Exception) -> InputError:
    return InputError(f"{folder} is damaged or of another version: {shorten(str(error), 200)}")


def _download(repository: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if repository.count("/") != 1:
        msg = f"there is no model folder {repository} (a model on the hub is called owner/name)"
        raise InputError(msg)
    try:
        return Path(snapshot_download(repository, allow_patterns=[CONFIG, WEIGHTS]))
    except (HFValidationError, HfHubHTTPError, OSError) as error:
        msg = f"{repository} is neither a model folder nor a model on the hub: {shorten(str(error), 200)}"
        raise InputError(msg) from error
