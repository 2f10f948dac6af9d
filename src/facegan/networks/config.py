"""Sizes and variants of the generators and discriminators, as they stand in a stage's YAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from facegan.errors import InputError

GeneratorKind = Literal["coarse_to_fine", "global"]
Norm = Literal["instance", "group"]
"""Batch norm is absent: its statistics would couple the images of a batch, and of all processes."""

Initialization = Literal["normal", "kaiming"]


@dataclass(frozen=True)
class GeneratorConfig:
    """Generator of the face reenactor or of the background mixer.

    Args:
        kind: ``coarse_to_fine`` (the paper's), or ``global``, the part at half resolution alone, for
            the first phase of progressive training with twice the ``width``.
        width: channels of the last features. Open in the paper; pix2pixHD has 32, and 64 for
            ``global``.
        downsamplings: how often the global generator halves the resolution. Open; pix2pixHD has 4.
        num_residual_blocks: of the global generator. Open; pix2pixHD has 9.
        num_local_residual_blocks: of the local enhancer; ``global`` has none. Open; pix2pixHD has 3.
        norm: after every convolution but the heads' last. Open; pix2pixHD has ``instance``, without
            learned scale. ``group``, with one, normalizes 16 channels together.
        use_skip_connections: add the encoder's features to the decoder's of the same size. Open: the
            paper calls its generator "U-Net like" and takes pix2pixHD's, which has none.
        init: of the weights. Open; pix2pixHD has ``normal``, N(0, 0.02). ``kaiming`` (He et al., ICCV
            2015) fits the layers' sizes, which in narrow generators differ from that.

    Raises:
        InputError: if a value is impossible.
    """

    kind: GeneratorKind = "coarse_to_fine"
    width: int = 32
    downsamplings: int = 4
    num_residual_blocks: int = 9
    num_local_residual_blocks: int = 3
    norm: Norm = "instance"
    use_skip_connections: bool = False
    init: Initialization = "normal"

    def __post_init__(self) -> None:
        """Check the values, which may come from a model's JSON and have any type."""
        _require_one_of("generator.kind", self.kind, get_args(GeneratorKind))
        _require_at_least("generator.width", self.width, 1)
        for name in ("downsamplings", "num_residual_blocks", "num_local_residual_blocks"):
            _require_at_least(f"generator.{name}", getattr(self, name), 0)
        _require_one_of("generator.norm", self.norm, get_args(Norm))
        _require_one_of("generator.use_skip_connections", self.use_skip_connections, (False, True))
        _require_one_of("generator.init", self.init, get_args(Initialization))


@dataclass(frozen=True)
class ReenactorConfig(GeneratorConfig):
    """Generator of the face reenactor.

    Args:
        align_source: move the source's head to the target landmarks first, by
            :func:`facegan.geometry.head_alignment.align_head`. The paper's reenactor sees the source where it
            is, and must learn to carry a face through its bottleneck; this one repairs the moved head.

    Raises:
        InputError: if a value is impossible.
    """

    align_source: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        _require_one_of("generator.align_source", self.align_source, (False, True))


@dataclass(frozen=True)
class MixerConfig(GeneratorConfig):
    """Generator of the background mixer.

    Args:
        fill_background: fill the hole of I_b from its surroundings first, by
            :func:`facegan.networks.compositing.fill_hole`. The paper's mixer sees the hole, and composites
            over it; this one starts from the reenacted head and its alpha.

    Raises:
        InputError: if a value is impossible.
    """

    fill_background: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        _require_one_of("generator.fill_background", self.fill_background, (False, True))


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Discriminators of one architecture on the image at 1, 1/2, 1/4, … of its size.

    Args:
        width: channels after the first convolution, doubled at every layer, at most 512. Open in
            the paper; pix2pixHD has 64.
        layers: convolutions with stride 2. Open; pix2pixHD has 3.
        scales: number of discriminators. The paper fixes 3, as pix2pixHD has.
        norm: after every convolution but the first and the last. Open; pix2pixHD has ``instance``,
            without learned scale. ``group``, with one, normalizes 16 channels together.

    Raises:
        InputError: if a value is impossible.
    """

    width: int = 64
    layers: int = 3
    scales: int = 3
    norm: Norm = "instance"

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("width", "layers", "scales"):
            _require_at_least(f"discriminator.{name}", getattr(self, name), 1)
        _require_one_of("discriminator.norm", self.norm, get_args(Norm))


def _require_at_least(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        msg = f"{name} is {value!r}: it must be a whole number, {least} or more"
        raise InputError(msg)


def _require_one_of(name: str, value: object, choices: tuple[object, ...]) -> None:
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
        msg = f"{name} is {value!r}: it must be one of {', '.join(str(choice) for choice in choices)}"
        raise InputError(msg)
