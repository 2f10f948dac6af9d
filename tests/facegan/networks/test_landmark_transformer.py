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
        inputs = F.gelu(inputs @ weight.T + bias)
    return inputs @ weights[-2].T + weights[-1]


def test_before_training_nothing_moves(faces):
    network = LandmarkTransformer()
    for _ in range(2):
        assert torch.equal(network(*faces), faces[0])
        assert not network.movement(*faces).any()
        network.standardize(*faces)


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


def test_standardized_networks_see_numbers_of_mean_0_and_deviation_1(faces):
    """However small the differences are, and wherever they lie; a unit that never moves stays at 0."""
    points, motion = 0.3 + 0.1 * faces[0], faces[1].clone()
    motion[:, 4] = 0.25
    network, regressor = LandmarkTransformer(width=16, layers=1), ActionUnitRegressor(width=16, layers=1)
    network.standardize(points, motion)
    regressor.standardize(points)
    seen = [network.landmarks(points), network.motion(motion)]
    for numbers, size in zip(seen, (136, 20), strict=True):
        assert numbers.shape == (8, size)
        torch.testing.assert_close(numbers.mean(dim=0), torch.zeros(size), atol=1e-5, rtol=0)
        torch.testing.assert_close(numbers.square().mean(), torch.tensor(1.0))
    assert seen[1][:, 4].abs().max() < 1e-5
    torch.nn.init.normal_(network.body[-1].weight)
    expected = by_hand(network, torch.cat(seen, dim=1))
    torch.testing.assert_close(network.movement(points, motion).flatten(1), expected)
    torch.testing.assert_close(regressor(points), by_hand(regressor, seen[0]))


def test_standardization_is_saved_with_the_weights(faces):
    network, other = LandmarkTransformer(width=16, layers=1), LandmarkTransformer(width=16, layers=1)
    network.standardize(*faces)
    torch.nn.init.normal_(network.body[-1].weight)
    assert not torch.equal(other(*faces), network(*faces))
    other.load_state_dict(network.state_dict())
    assert torch.equal(other(*faces), network(*faces))


def test_equal_examples_do_not_blow_up(faces):
    network = LandmarkTransformer(width=16, layers=1)
    network.standardize(faces[0][:1].repeat(8, 1, 1), torch.zeros(8, 20))
    assert network.landmarks(faces[0]).abs().max() < 200
    assert network.motion(faces[1]).abs().max() < 200


def test_gradient_flows_from_the_start_and_training_learns(faces):
    """The last layer begins with zeros; that must not keep it from learning."""
    torch.manual_seed(0)
    network = LandmarkTransformer(width=64, layers=2)
    source, motion = faces
    aim = source + 0.1 * motion[:, :2, None].repeat(1, 34, 1).reshape(8, 68, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (network(source, motion) - aim).abs().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
