"""The generators of pix2pixHD (Wang et al., CVPR 2018): global, and coarse to fine.

Both end in features of the image's size and a 7×7 head with tanh. The features are public,
because FACEGAN adds a second head to them (segmentation, mask).
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, assert_never

from torch import Tensor, nn
from torch.nn import functional

from facegan.errors import InputError
from facegan.networks.convolution import ReflectConv2d

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from facegan.networks.config import Norm


class GlobalGenerator(nn.Module):
    """G1: an encoder, residual blocks at the lowest resolution, a decoder.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        width: channels after the first convolution; doubled at every downsampling.
        downsamplings: how often the resolution is halved.
        blocks: number of residual blocks.
        norm: ``instance`` or ``group``, after every convolution but the head's.
        use_skip_connections: add the encoder's features to the decoder's of the same size ("U-Net like").
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        width: int = 64,
        downsamplings: int = 4,
        blocks: int = 9,
        *,
        norm: Norm = "instance",
        use_skip_connections: bool = False,
    ) -> None:
        super().__init__()
        self.width = width
        self.use_skip_connections = use_skip_connections
        self.multiple = 2**downsamplings
        self.stem = ConvBlock(in_channels, width, norm, kernel=7)
        self.down = nn.ModuleList(
            ConvBlock(width * 2**i, width * 2 ** (i + 1), norm, kernel=3, stride=2)
            for i in range(downsamplings)
        )
        self.blocks = nn.Sequential(*(ResidualBlock(width * 2**downsamplings, norm) for _ in range(blocks)))
        self.up = nn.ModuleList(
            UpBlock(width * 2 ** (i + 1), width * 2**i, norm) for i in reversed(range(downsamplings))
        )
        self.head = ImageHead(width, out_channels)
        self.apply(init_weights)

    def features(self, x: Tensor) -> Tensor:
        """Compute the features before the head, N×in_channels×H×W to N×width×H×W.

        Raises:
            ValueError: if height or width is not a multiple of 2^downsamplings.
        """
        require_multiple(x, self.multiple)
        x = self.stem(x)
        encoded = []
        for block in self.down:
            encoded.append(x)
            x = block(x)
        x = self.blocks(x)
        for block in self.up:
            x = block(x)
            same_size = encoded.pop()
            if self.use_skip_connections:
                x = x + same_size
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Generate N×out_channels×H×W in -1..1 from N×in_channels×H×W."""
        images: Tensor = self.head(self.features(x))
        return images


class CoarseToFineGenerator(nn.Module):
    """G2 around G1: the global generator at half resolution, a local enhancer at the full one.

    The global generator's last features are added to the enhancer's encoded ones, element by element.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        width: channels of the enhancer; the global generator has twice as many.
        downsamplings: how often the global generator halves the (already halved) resolution.
        blocks: residual blocks of the global generator.
        local_blocks: residual blocks of the enhancer.
        norm: ``instance`` or ``group``, in both.
        use_skip_connections: in both.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        width: int = 32,
        downsamplings: int = 4,
        blocks: int = 9,
        local_blocks: int = 3,
        *,
        norm: Norm = "instance",
        use_skip_connections: bool = False,
    ) -> None:
        super().__init__()
        self.width = width
        self.use_skip_connections = use_skip_connections
        self.multiple = 2 ** (downsamplings + 1)
        self.global_generator = GlobalGenerator(
            in_channels,
            out_channels,
            2 * width,
            downsamplings,
            blocks,
            norm=norm,
            use_skip_connections=use_skip_connections,
        )
        # Only its features are used: a head without gradient would trip distributed training.
        del self.global_generator.head
        self.stem = ConvBlock(in_channels, width, norm, kernel=7)
        self.down = ConvBlock(width, 2 * width, norm, kernel=3, stride=2)
        self.blocks = nn.Sequential(*(ResidualBlock(2 * width, norm) for _ in range(local_blocks)))
        self.up = UpBlock(2 * width, width, norm)
        self.head = ImageHead(width, out_channels)
        self.apply(init_weights)

    def features(self, x: Tensor) -> Tensor:
        """Compute the features before the head, N×in_channels×H×W to N×width×H×W.

        Raises:
            ValueError: if height or width is not a multiple of 2^(downsamplings + 1).
        """
        require_multiple(x, self.multiple)
        coarse = self.global_generator.features(downsample(x))
        stem = self.stem(x)
        output: Tensor = self.up(self.blocks(self.down(stem) + coarse))
        return output + stem if self.use_skip_connections else output

    def forward(self, x: Tensor) -> Tensor:
        """Generate N×out_channels×H×W in -1..1 from N×in_channels×H×W."""
        images: Tensor = self.head(self.features(x))
        return images

    def load_global_generator(self, state: Mapping[str, Tensor]) -> None:
        """Load a trained global generator but for its head: progressive training.

        Args:
            state: of a :class:`GlobalGenerator` of this one's sizes and twice its width. A difference in
                ``use_skip_connections`` leaves no trace in a state and is not detected.

        Raises:
            InputError: if the sizes differ.
        """
        state = {name: tensor for name, tensor in state.items() if not name.startswith("head.")}
        theirs, ours = _shapes(state), _shapes(self.global_generator.state_dict())
        for name in sorted(theirs.keys() | ours.keys()):
            if theirs.get(name) != ours.get(name):
                msg = (
                    f"global generator of other sizes: {name} is {theirs.get(name, 'absent')}, not "
                    f"{ours.get(name, 'absent')}; it needs width {2 * self.width} (twice this one's) "
                    "and this one's downsamplings, number of blocks and norm"
                )
                raise InputError(msg)
        self.global_generator.load_state_dict(state)


class ConvBlock(nn.Sequential):
    """Convolution, norm, ReLU. An unstrided one pads by reflection, a strided one by zeros."""

    def __init__(
        self, in_channels: int, out_channels: int, norm: Norm, *, kernel: int, stride: int = 1
    ) -> None:
        super().__init__(
            ReflectConv2d(in_channels, out_channels, kernel)
            if stride == 1
            else nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2),
            norm_layer(norm, out_channels),
            nn.ReLU(),
        )


class UpBlock(nn.Sequential):
    """Transposed convolution to twice the size, norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, norm: Norm) -> None:
        super().__init__(
            nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1),
            norm_layer(norm, out_channels),
            nn.ReLU(),
        )


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with norm, added to the input; no ReLU after the sum."""

    def __init__(self, channels: int, norm: Norm) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvBlock(channels, channels, norm, kernel=3),
            ReflectConv2d(channels, channels, 3),
            norm_layer(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """N×C×H×W to the same shape."""
        change: Tensor = self.body(x)
        return x + change


class ImageHead(nn.Sequential):
    """Features to an image in -1..1."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(ReflectConv2d(in_channels, out_channels, 7), nn.Tanh())


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """Build an instance norm without learned scale, or a group norm with one.

    A group has 16 channels, or as many of them as divide the number of channels.
    """
    match norm:
        case "instance":
            return nn.InstanceNorm2d(channels)
        case "group":
            return nn.GroupNorm(channels // gcd(channels, 16), channels)
    assert_never(norm)


def downsample(images: Tensor) -> Tensor:
    """Halve the size as pix2pixHD does: average pooling 3×3 with stride 2, padding not counted."""
    return functional.avg_pool2d(images, 3, stride=2, padding=1, count_include_pad=False)


def image_pyramid(images: Tensor, scales: int) -> Iterator[Tensor]:
    """Yield the image at 1, 1/2, 1/4, … of its size."""
    for scale in range(scales):
        yield images
        if scale + 1 < scales:
            images = downsample(images)


def init_weights(module: nn.Module) -> None:
    """Initialize a convolution as pix2pixHD does: weights from N(0, 0.02)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and _is_materialized(module):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def init_kaiming(module: nn.Module) -> None:
    """Initialize the convolutions before a ReLU or a sum by He et al.; the heads' last keep theirs."""
    if isinstance(module, ConvBlock | UpBlock | ResidualBlock):
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and _is_materialized(layer):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")


def _is_materialized(layer: nn.Conv2d | nn.ConvTranspose2d) -> bool:
    """Return False for weights on the meta device, whose initialization would import PyTorch's compiler."""
    return not layer.weight.is_meta


def require_multiple(images: Tensor, multiple: int) -> None:
    """Raise ValueError unless height and width are multiples of a number."""
    height, width = images.shape[-2:]
    if height % multiple or width % multiple:
        msg = f"image of {height}×{width} pixels: both must be multiples of {multiple}"
        raise ValueError(msg)


def _shapes(state: Mapping[str, Tensor]) -> dict[str, str]:
    return {name: "×".join(map(str, tensor.shape)) for name, tensor in state.items()}
