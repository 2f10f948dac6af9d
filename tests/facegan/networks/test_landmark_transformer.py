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


def test_landmark_transformer_untrained_is_identity(faces):
    network = LandmarkTransformer()
    for _ in range(2):
        assert torch.equal(network(*faces), faces[0])
        assert not network.predict_displacement(*faces).any()
        network.fit_normalizers(*faces)


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_predict_displacement_equals_reference(faces, layers):
    network = LandmarkTransformer(width=16, layers=layers)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    source, motion = faces
    expected = by_hand(network, torch.cat((source.reshape(8, 136), motion), dim=1)).reshape(8, 68, 2)
    torch.testing.assert_close(network.predict_displacement(source, motion), expected)
    torch.testing.assert_close(network(source, motion), source + expected)
    assert [weight.shape for weight in network.parameters() if weight.ndim == 2] == [
        *([(16, 156), *[(16, 16)] * (layers - 1), (136, 16)] if layers else [(136, 156)])
    ]


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_action_unit_regressor_equals_reference(faces, layers):
    network = ActionUnitRegressor(width=16, layers=layers)
    motion = network(faces[0])
    assert motion.shape == (8, 20)
    torch.testing.assert_close(motion, by_hand(network, faces[0].reshape(8, 136)))


def test_fit_normalizers_inputs_have_mean_0_and_std_1(faces):
    """However small the differences are; a constant action unit stays at 0."""
    landmarks, motion = 0.3 + 0.1 * faces[0], faces[1].clone()
    motion[:, 4] = 0.25
    network, regressor = LandmarkTransformer(width=16, layers=1), ActionUnitRegressor(width=16, layers=1)
    network.fit_normalizers(landmarks, motion)
    regressor.fit_normalizers(landmarks)
    normalized = [network.landmark_normalizer(landmarks), network.motion_normalizer(motion)]
    for numbers, size in zip(normalized, (136, 20), strict=True):
        assert numbers.shape == (8, size)
        torch.testing.assert_close(numbers.mean(dim=0), torch.zeros(size), atol=1e-5, rtol=0)
        torch.testing.assert_close(numbers.square().mean(), torch.tensor(1.0))
    assert normalized[1][:, 4].abs().max() < 1e-5
    torch.nn.init.normal_(network.body[-1].weight)
    expected = by_hand(network, torch.cat(normalized, dim=1))
    torch.testing.assert_close(network.predict_displacement(landmarks, motion).flatten(1), expected)
    torch.testing.assert_close(regressor(landmarks), by_hand(regressor, normalized[0]))


def test_fit_normalizers_is_saved_with_weights(faces):
    network, other = LandmarkTransformer(width=16, layers=1), LandmarkTransformer(width=16, layers=1)
    network.fit_normalizers(*faces)
    torch.nn.init.normal_(network.body[-1].weight)
    assert not torch.equal(other(*faces), network(*faces))
    other.load_state_dict(network.state_dict())
    assert torch.equal(other(*faces), network(*faces))


def test_fit_normalizers_equal_examples_are_not_amplified(faces):
    network = LandmarkTransformer(width=16, layers=1)
    network.fit_normalizers(faces[0][:1].repeat(8, 1, 1), torch.zeros(8, 20))
    assert network.landmark_normalizer(faces[0]).abs().max() < 200
    assert network.motion_normalizer(faces[1]).abs().max() < 200


def test_landmark_transformer_zero_initialized_layer_learns(faces):
    """The last layer is initialized with zeros."""
    torch.manual_seed(0)
    network = LandmarkTransformer(width=64, layers=2)
    source, motion = faces
    target = source + 0.1 * motion[:, :2, None].repeat(1, 34, 1).reshape(8, 68, 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (network(source, motion) - target).abs().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
