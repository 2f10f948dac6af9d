import pytest
import torch
from torch.nn import functional as F

from facegan.networks import ActionUnitRegressor, LandmarkTransformer


@pytest.fixture
def faces():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(8, 68, 2, generator=generator) - 0.5, torch.rand(8, 20, generator=generator)


def by_hand(network, inputs):
    weights = list(network.parameters())
    for weight, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        inputs = F.relu(inputs @ weight.T + bias)
    return inputs @ weights[-2].T + weights[-1]


def test_before_training_nothing_moves(faces):
    network = LandmarkTransformer()
    assert torch.equal(network(*faces), faces[0])
    assert not network.movement(*faces).any()


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_movement_is_a_perceptron_of_landmarks_and_motion(faces, layers):
    network = LandmarkTransformer(width=16, layers=layers)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    source, motion = faces
    expected = by_hand(network, torch.cat((source.reshape(8, 136), motion), dim=1)).reshape(8, 68, 2)
    torch.testing.assert_close(network.movement(source, motion), expected)
    torch.testing.assert_close(network(source, motion), source + expected)
    assert [weight.shape for weight in network.parameters() if weight.ndim == 2] == [
        *([(16, 156), *[(16, 16)] * (layers - 1), (136, 16)] if layers else [(136, 156)])
    ]


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_regressor_is_a_perceptron_of_landmarks(faces, layers):
    network = ActionUnitRegressor(width=16, layers=layers)
    shown = network(faces[0])
    assert shown.shape == (8, 20)
    torch.testing.assert_close(shown, by_hand(network, faces[0].reshape(8, 136)))


def test_gradient_flows_from_the_start_and_training_learns(faces):
    """The last layer begins with zeros; that must not keep it from learning."""
    torch.manual_seed(0)
    network = LandmarkTransformer(width=64, layers=2)
    source, motion = faces
    aim = source + 0.1 * motion[:, :2, None].repeat(1, 34, 1).reshape(8, 68, 1)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = (network(source, motion) - aim).abs().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
