import numpy as np
import pytest
import torch
from torch.nn import functional as F

from facegan.evaluation.observer import back_ends
from facegan.perception.assets import ASSETS


@pytest.fixture(scope="module")
def pictures(crops):
    """Two faces, with a picture of nothing between them."""
    return torch.stack((crops.picture(0), torch.zeros(3, crops.size, crops.size), crops.picture(9)))


def test_sees_what_the_preparation_saw_of_the_same_pixels(observer, crops, pictures):
    seen = observer(pictures)
    assert seen.found.tolist() == [True, False, True]
    np.testing.assert_allclose(seen.landmarks, crops.landmarks[[0, 9]], atol=1e-6)
    np.testing.assert_allclose(seen.motion, crops.motion[[0, 9]], atol=1e-6)


def test_embeds_by_the_landmarks_it_saw(observer, crops, pictures):
    known = observer.embed(pictures[[0, 2]], torch.from_numpy(crops.landmarks[[0, 9]]))
    torch.testing.assert_close(observer(pictures).identity, known)
    turned = observer.embed(crops.picture(1)[None], torch.from_numpy(crops.landmarks[[1]]))
    same, other = F.cosine_similarity(known, turned)
    assert same > other


def test_no_face_at_all_is_empty_and_nothing_worse(observer, pictures):
    seen = observer(pictures[[1, 1]])
    assert not seen.found.any()
    assert [len(part) for part in (seen.landmarks, seen.motion, seen.identity)] == [0, 0, 0]


def test_values_out_of_range_are_clipped(observer, pictures):
    saturated = pictures[:1] * 3
    torch.testing.assert_close(observer(saturated).landmarks, observer(saturated.clamp(-1, 1)).landmarks)


def test_back_ends_name_their_files():
    for text in back_ends().values():
        assert any(name in text and asset.sha256[:8] in text for name, asset in ASSETS.items())
