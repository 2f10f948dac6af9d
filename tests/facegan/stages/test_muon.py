"""Muon against PyTorch's own for matrices, and against Adam for the rest."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from facegan.networks import FaceReenactor, ReenactorConfig
from facegan.stages.muon import MIN_MATRIX_ROWS, Muon, muon_groups, orthogonalize


def build(networks, muon_lr, lr, betas):
    return Muon(muon_groups(networks, muon_lr), lr, betas, fused=True)


def run(network, optimizer, steps, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        network(torch.randn(2, 3, 16, 16, generator=generator)).square().mean().backward()
        optimizer.step()


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 24, 3),
        nn.GroupNorm(2, 24),
        nn.ReLU(),
        nn.ConvTranspose2d(24, 16, 3),
        nn.Conv2d(16, 3, 1),
    )


@settings(deadline=None, max_examples=30)
@given(st.integers(8, 60), st.integers(8, 60), st.floats(1e-3, 1e3))
def test_orthogonalize_singular_values_are_near_one(rows, columns, scale):
    matrix = scale * torch.randn(rows, columns, generator=torch.Generator().manual_seed(rows * columns))
    (turned,) = orthogonalize(matrix[None])
    values = torch.linalg.svdvals(turned)
    # A random square matrix has directions a thousand times weaker than others; five steps do not lift those.
    strong = torch.linalg.svdvals(matrix / matrix.norm()) > 0.02
    assert values[strong].min() > 0.5
    assert values.max() < 1.4
    # The directions stay.
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    diagonal = (left.T @ turned @ right.T).diagonal()
    assert (diagonal[strong] > 0.45).all()


@pytest.mark.parametrize("shape", [(20, 54), (64, 8)])
@pytest.mark.parametrize(("has_bf16", "tolerance"), [(True, 0.03), (False, 1e-5)])
def test_orthogonalize_equals_five_newton_schulz_steps(shape, has_bf16, tolerance, monkeypatch):
    """Where bfloat16 is emulated, in the matrix's own 32 bit."""
    monkeypatch.setattr("facegan.stages.muon.computes_bf16", lambda device: has_bf16)
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    left, values, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    values = values / values.norm()
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    exact = (left * values) @ right
    (turned,) = orthogonalize(matrix[None])
    assert turned.dtype == torch.float32
    assert (turned - exact).norm() < tolerance * exact.norm()


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this PyTorch has no Muon")
@pytest.mark.parametrize("shape", [(20, 6, 3), (64, 8, 1)])
def test_muon_step_equals_pytorch_muon(shape, monkeypatch):
    """Its Muon takes matrices alone, and computes in bfloat16 everywhere."""
    monkeypatch.setattr("facegan.stages.muon.computes_bf16", lambda device: True)
    torch.manual_seed(0)
    rows, channels, kernel = shape
    convolution = nn.Conv2d(channels, rows, kernel, bias=False)
    start = convolution.weight.flatten(1).detach().clone()
    matrix = nn.Parameter(start.clone())
    ours = build([convolution], 0.02, 1e-3, (0.9, 0.999))
    theirs = torch.optim.Muon([matrix], lr=0.02, weight_decay=0.0)
    for _ in range(5):
        gradient = torch.randn(start.shape)
        convolution.weight.grad, matrix.grad = gradient.view_as(convolution.weight), gradient.clone()
        ours.step()
        theirs.step()
    difference = convolution.weight.flatten(1) - matrix
    assert difference.norm() < 1e-3 * (matrix - start).norm()


def test_muon_transposed_convolution_has_row_per_output_channel():
    """The step of a transposed 1×1 convolution is that of a convolution with the transposed weights."""
    torch.manual_seed(0)
    convolution, transposed = nn.Conv2d(12, 9, 1, bias=False), nn.ConvTranspose2d(12, 9, 1, bias=False)
    transposed.weight.data.copy_(convolution.weight.transpose(0, 1))
    pictures = torch.randn(4, 12, 5, 5)
    for layer in (convolution, transposed):
        optimizer = build([layer], 0.1, 1e-3, (0.9, 0.999))
        layer(pictures).sin().sum().backward()
        optimizer.step()
    torch.testing.assert_close(transposed.weight.transpose(0, 1), convolution.weight, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_muon_batched_step_equals_single_steps(order, monkeypatch):
    """In 32 bit, so that the order of a matrix' columns does not show."""
    monkeypatch.setattr("facegan.stages.muon.computes_bf16", lambda device: False)
    torch.manual_seed(0)
    together = [nn.Conv2d(12, 12, 3), nn.Conv2d(12, 12, 3), nn.ConvTranspose2d(12, 12, 3)]
    alone = copy.deepcopy(together)
    both = build([layer.to(memory_format=order) for layer in together], 0.1, 1e-3, (0.5, 0.999))
    each = [build([layer], 0.1, 1e-3, (0.5, 0.999)) for layer in alone]
    for _ in range(2):
        for mine, other in zip(together, alone, strict=True):
            mine.weight.grad = torch.randn_like(mine.weight)
            other.weight.grad = mine.weight.grad.clone(memory_format=torch.contiguous_format)
        for optimizer in (both, *each):
            optimizer.step()
    for mine, other in zip(together, alone, strict=True):
        torch.testing.assert_close(mine.weight, other.weight)


def test_muon_other_parameters_step_equals_adam():
    ours, theirs = network(), network()
    fixed = [module for module in ours if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]
    optimizer = build([ours], 0.0, 1e-2, (0.5, 0.999))
    names = {id(p): name for name, p in ours.named_parameters()}
    rest = {names[id(p)] for p in optimizer.param_groups[0]["params"]}
    assert {"1.weight", "1.bias", "4.weight", "0.bias"} <= rest
    assert len(rest) == len(names) - 2, "two convolutions of MIN_MATRIX_ROWS rows or more"
    assert fixed[2].weight.shape[0] < MIN_MATRIX_ROWS
    theirs_of_rest = [p for name, p in theirs.named_parameters() if name in rest]
    adam = torch.optim.Adam(theirs_of_rest, lr=1e-2, betas=(0.5, 0.999), fused=True)
    run(ours, optimizer, 3)
    run(theirs, adam, 3)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=0)


def test_muon_resumed_state_is_exact():
    whole = network()
    optimizer = build([whole], 0.02, 1e-3, (0.5, 0.999))
    run(whole, optimizer, 3)
    halfway = copy.deepcopy(whole)
    again = build([halfway], 0.5, 9.0, (0.1, 0.1))
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for one, its in ((whole, optimizer), (halfway, again)):
        run(one, its, 3, seed=1)
    for mine, other in zip(whole.parameters(), halfway.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=0)


def test_muon_without_gradient_is_unchanged():
    one = network()
    before = copy.deepcopy(one.state_dict())
    optimizer = build([one], 0.1, 1e-2, (0.5, 0.999))
    one(torch.randn(1, 3, 16, 16)).sum().backward()
    one[0].weight.grad = None
    optimizer.step()
    assert torch.equal(one[0].weight, before["0.weight"])
    assert not torch.equal(one[3].weight, before["3.weight"])


def test_muon_takes_all_convolutions_but_heads_last():
    """Of the reenactor: stem, downsamplings, blocks, upsamplings, and the second head's first."""
    reenactor = FaceReenactor(ReenactorConfig(kind="global", width=8, downsamplings=2, num_residual_blocks=1))
    chosen = {
        id(p)
        for group in build([reenactor], 0.1, 1e-3, (0.5, 0.999)).param_groups[1:]
        for p in group["params"]
    }
    left = [
        name
        for name, module in reenactor.named_modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and id(module.weight) not in chosen
    ]
    assert left == ["generator.head.0", "segmentation.1"]
