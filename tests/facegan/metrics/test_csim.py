"""CSIM: scale of embeddings."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.metrics import csim


@given(st.floats(0.01, 100))
def test_csim_scaled_embedding_is_unchanged(scale):
    preds, target = torch.randn(2, 3, 128, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(csim(scale * preds, target), csim(preds, target))
