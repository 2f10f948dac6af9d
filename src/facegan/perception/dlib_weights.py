"""Loads dlib's published face recognition weights, which are serialized in dlib's own binary format.

dlib writes a network from the outside in: the loss layer, then one version number for each layer down
to the input, then the input layer and the layers' contents from the input up. A layer's content begins
with its type's name, so the walk needs no knowledge of the architecture.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from facegan.networks.identity_network import IdentityNetwork

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST_FILE = 1 << 25
_INNERMOST = 3
"""Version number of the layer that stands on the input, and of no other."""


def load_identity_network(path: Path) -> IdentityNetwork:
    """Load the weights of ``dlib_face_recognition_resnet_model_v1.dat`` (CC0).

    Raises:
        ValueError: if the file holds anything else.
    """
    layers = read_layers(path)
    network = IdentityNetwork()
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    project = network.project
    expected: list[tuple[str, tuple[int, ...], int]] = []
    for target in convolutions:
        outputs = target.out_channels
        expected += [("con_4", target.weight.shape, outputs), ("affine_", (1, outputs, 1, 1), outputs)]
    expected.append(("fc_2", (project.in_features, project.out_features, 1, 1), 0))
    if [(layer.kind, layer.weight.shape, layer.bias.numel()) for layer in layers] != expected:
        msg = f"{path} holds another network than dlib's face recognition ResNet"
        raise ValueError(msg)
    with torch.no_grad():
        for target, convolution, affine in zip(convolutions, layers[0::2], layers[1::2], strict=False):
            gain = affine.weight.flatten()
            target.weight.copy_(convolution.weight * gain.view(-1, 1, 1, 1))
            assert target.bias is not None
            target.bias.copy_(convolution.bias * gain + affine.bias)
        project.weight.copy_(layers[-1].weight.flatten(1).T)
    return network


class Layer(NamedTuple):
    """A layer that has weights."""

    kind: str
    """dlib's name of the type: ``con_4``, ``affine_`` or ``fc_2``."""
    weight: Tensor
    """O×I×H×W for a convolution, 1×C×1×1 for an affine, inputs×outputs×1×1 for a linear layer."""
    bias: Tensor
    """As many numbers as the layer has outputs; none if it has no bias."""


def read_layers(path: Path) -> list[Layer]:
    """Read the layers with weights, from the input to the output.

    Source: ``serialize.h``, ``dnn/core.h`` and ``dnn/layers.h`` of dlib 19 and 20.

    Args:
        path: a network under a metric loss, on an RGB image, of convolutions, affines, ReLUs, poolings,
            sums and linear layers.

    Raises:
        ValueError: if the file is anything else; nothing larger than the file is allocated.
    """
    if path.stat().st_size > _LARGEST_FILE:
        msg = f"{path} is no dlib network: larger than {_LARGEST_FILE} bytes"
        raise ValueError(msg)
    try:
        return _read_network(_Reader(path.read_bytes()))
    except ValueError as error:
        msg = f"{path} is no dlib network that can be read: {error}"
        raise ValueError(msg) from error


class _Reader:
    """Decodes dlib's primitive types one after another from a buffer."""

    def __init__(self, data: bytes) -> None:
        self._left = memoryview(data)

    def __bool__(self) -> bool:
        return len(self._left) > 0

    def take(self, count: int) -> memoryview:
        if not 0 <= count <= len(self._left):
            msg = f"{count} bytes wanted, {len(self._left)} left"
            raise ValueError(msg)
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def read_integer(self) -> int:
        """A byte with the sign and the length, then the value's bytes, the lowest first."""
        control = self.take(1)[0]
        length = control & 0x0F
        if not 1 <= length <= 8 or control & 0x70:
            msg = f"{control:#04x} begins no integer"
            raise ValueError(msg)
        value = int.from_bytes(self.take(length), "little")
        return -value if control & 0x80 else value

    def read_integers(self, count: int) -> tuple[int, ...]:
        return tuple(self.read_integer() for _ in range(count))

    def skip_reals(self, count: int) -> None:
        """A real number is two integers, mantissa and exponent."""
        self.read_integers(2 * count)

    def read_text(self) -> str:
        return bytes(self.take(self.read_integer())).decode("ascii")

    def expect(self, name: str) -> None:
        found = self.read_text()
        if found != name:
            msg = f"{name} expected, found {found[:40]!r}"
            raise ValueError(msg)

    def read_tensor(self) -> Tensor:
        """A version, four sizes, and little-endian float32 values."""
        version, *sizes = self.read_integers(5)
        if version != 2 or min(sizes) < 0:
            msg = f"no tensor of version {version} and sizes {sizes}"
            raise ValueError(msg)
        numbers = np.frombuffer(self.take(4 * math.prod(sizes)), dtype="<f4")
        return torch.from_numpy(numbers.astype(np.float32))

    def read_shape(self) -> list[int]:
        """The sizes of a part of a tensor, after a version."""
        return list(self.read_integers(5)[1:])


def _read_network(reader: _Reader) -> list[Layer]:
    reader.read_integer()  # version
    reader.expect("loss_metric_2")
    reader.skip_reals(2)  # margin, threshold
    while reader.read_integer() != _INNERMOST:
        pass
    reader.expect("input_rgb_image_sized")
    reader.skip_reals(3)  # mean color
    reader.read_integers(2)  # height, width
    layers = []
    innermost = True
    while reader:
        layer = _read_layer(reader)
        reader.take(3)  # three booleans: is the layer set up, what about its gradients
        for _ in range(3):  # gradients and the last output, which are empty in a published network
            reader.read_tensor()
        if innermost:
            reader.read_integer()  # images per sample
            innermost = False
        if layer is not None:
            layers.append(layer)
    return layers


def _read_layer(reader: _Reader) -> Layer | None:
    """One layer's content; None if it has no weights."""
    kind = reader.read_text()
    if kind in ("relu_", "add_prev_"):
        return None
    if kind in ("max_pool_2", "avg_pool_2"):
        reader.read_integers(6)
        return None
    if kind == "con_4":
        params = reader.read_tensor()
        reader.read_integers(7)
        layer = _split(kind, params, reader)
        reader.skip_reals(4)
        return layer
    if kind == "affine_":
        layer = _split(kind, reader.read_tensor(), reader)
        reader.read_integer()
        return layer
    if kind == "fc_2":
        reader.read_integers(2)
        layer = _split(kind, reader.read_tensor(), reader)
        reader.read_integer()
        reader.skip_reals(4)
        return layer
    msg = f"unknown layer {kind[:40]!r}"
    raise ValueError(msg)


def _split(kind: str, params: Tensor, reader: _Reader) -> Layer:
    """Weight and bias lie behind one another in one tensor."""
    weight, bias = reader.read_shape(), reader.read_shape()
    if min(weight) < 1 or min(bias) < 0 or math.prod(weight) + math.prod(bias) != params.numel():
        msg = f"{kind} has {params.numel()} numbers for sizes {weight} and {bias}"
        raise ValueError(msg)
    return Layer(kind, params[: math.prod(weight)].reshape(weight), params[math.prod(weight) :])
