"""Freezing of the discriminators in the generator's loss."""

import pytest
import torch

from facegan.stages.gan_stage import freeze_parameters


def test_freeze_parameters_gradient_reaches_input_only():
    network, x = torch.nn.Linear(3, 1), torch.ones(1, 3, requires_grad=True)
    with freeze_parameters(network):
        output = network(x)
    output.backward()
    assert x.grad.abs().sum() > 0
    assert network.weight.grad is None


@pytest.mark.parametrize("fails", [False, True])
def test_freeze_parameters_restores_requires_grad_of_each(fails):
    network = torch.nn.Linear(3, 1)
    network.bias.requires_grad_(False)
    try:
        with freeze_parameters(network):
            assert not any(parameter.requires_grad for parameter in network.parameters())
            if fails:
                raise RuntimeError
    except RuntimeError:
        assert fails
    assert network.weight.requires_grad
    assert not network.bias.requires_grad
