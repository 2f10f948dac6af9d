"""The measures over pictures, against the functions of what the observer sees."""

import pytest
import torch

from facegan import metrics
from facegan.evaluation import ImageMetrics, Observer
from facegan.evaluation.metric_backends import Callback, MediaPipe
from facegan.evaluation.pair_metrics import parts
from facegan.io.images import tensor_to_images


@pytest.fixture
def pictures(crops):
    """Four faces N×3×S×S."""
    return torch.stack([crops.picture(index) for index in (0, 2, 9, 5)])


def test_pictures_are_compared_by_what_is_seen_in_them(observer, pictures):
    measures = ImageMetrics(observer)
    source, driver, result = pictures[[0, 1]], pictures[[2, 3]], pictures[[3, 0]]
    measures.update(source, driver, result, second=driver)
    s, d, r = (
        parts(observer([tensor_to_images(picture) for picture in batch]))
        for batch in (source, driver, result)
    )
    values = {
        "csim": metrics.csim(r["identity"], s["identity"]),
        "psim": metrics.psim(r["angles"], d["angles"]),
        "ed": metrics.ed(r["units"], d["units"]),
        "lsim": metrics.lsim(r["landmarks"], d["landmarks"]),
    }
    expected = {name: float(numbers.mean()) for name, numbers in values.items()}
    assert measures.compute() == pytest.approx(expected, abs=1e-6)


def test_batches_add_up_and_can_be_forgotten(observer, pictures):
    whole, parted = ImageMetrics(observer), ImageMetrics(observer)
    whole.update(pictures, pictures.flip(0), pictures.roll(1, 0))
    for index in range(4):
        parted.update(*(batch[[index]] for batch in (pictures, pictures.flip(0), pictures.roll(1, 0))))
    assert parted.compute() == pytest.approx(
        {key: float(value) for key, value in whole.compute().items()}, abs=1e-5
    )
    assert set(whole.compute()) == {"csim", "psim", "ed"}
    whole.reset()
    assert whole.compute() == {}


def test_a_result_without_a_face_is_a_miss_and_a_source_without_one_no_pair(observer, pictures):
    gray = torch.zeros_like(pictures[[0]])
    measures = ImageMetrics(observer)
    measures.update(pictures[[0, 1]], pictures[[0, 1]], torch.cat([pictures[[0]], gray]))
    assert int(measures.csim.num_undetected) == 1
    assert measures.compute() == pytest.approx({"csim": 0.5, "psim": 0.5, "ed": 0.5}, abs=1e-6)
    measures.reset()
    measures.update(gray, pictures[[1]], pictures[[1]])
    assert int(measures.csim.num_pairs) == 0
    assert int(measures.psim.num_pairs) == 1


def test_any_function_recognizes(pictures):
    with Observer(Callback(lambda faces, _: faces.mean(dim=(2, 3)) + 2), MediaPipe()) as observer:
        measures = ImageMetrics(observer)
        measures.update(pictures, pictures, pictures)
        assert measures.csim.compute() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("wrong", [lambda faces: faces * 127.5 + 127.5, lambda faces: faces.byte()])
def test_other_ranges_are_refused(observer, pictures, wrong):
    with pytest.raises(ValueError, match=r"result must be in -1\.\.1"):
        ImageMetrics(observer).update(pictures, pictures, wrong(pictures))


def test_no_pictures_are_no_pairs(observer, pictures):
    measures = ImageMetrics(observer)
    measures.update(pictures[:0], pictures[:0], pictures[:0])
    assert measures.compute() == {}


def test_wrong_shapes(observer, pictures):
    with pytest.raises(ValueError, match="driver must be 4 pictures"):
        ImageMetrics(observer).update(pictures, pictures[:2], pictures)
