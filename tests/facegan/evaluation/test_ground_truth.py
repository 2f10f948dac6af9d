import numpy as np
import pytest
from tests.facegan.evaluation.conftest import SIZE, means, run

from facegan.data import PROTOCOL_PAIRS, FaceCrops
from facegan.data.evaluation_pairs import write_pairs
from facegan.errors import InputError
from facegan.evaluation.ground_truth import GroundTruthReenactments
from facegan.evaluation.methods import DRIVING_COPIED, GROUND_TRUTH, SOURCE_COPIED
from facegan.preparation import PrepareConfig
from facegan.preparation.synthesize import synthesize
from facegan.preparation.synthetic import prepare_synthetic

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Four identities, long enough for a run of successive frames."""
    out = tmp_path_factory.mktemp("synthetic") / "videos"
    return synthesize(out, identities=4, clips=1, seconds=1.2, size=128, seed=3, workers=1, progress=False)


@pytest.fixture(scope="module")
def synthetic_data(videos, tmp_path_factory):
    out = tmp_path_factory.mktemp("synthetic") / "data"
    prepare_synthetic(videos, out, PrepareConfig(SIZE, 30), workers=1, progress=False)
    return out


@pytest.fixture(scope="module")
def synthetic_crops(synthetic_data):
    return FaceCrops(synthetic_data)


def test_render_with_own_motion_gives_the_crop(videos, synthetic_crops):
    """But for noise and compression, which the ground truth does not have."""
    ground_truth = GroundTruthReenactments(videos, synthetic_crops)
    for index in (0, len(synthetic_crops) // 2):
        image, points = ground_truth.render(index, index)
        np.testing.assert_allclose(points, synthetic_crops.landmarks[index], atol=2e-3)
        assert np.abs(image - synthetic_crops.image(index).astype(float)).mean() < 6


def test_render_with_other_motion_keeps_identity_and_eye_position(videos, synthetic_crops):
    landmarks = synthetic_crops.landmarks
    first = np.unique(synthetic_crops.identity, return_index=True)[1]
    source, driving = int(first[0]), int(first[1]) + 20
    _, points = GroundTruthReenactments(videos, synthetic_crops).render(source, driving)
    np.testing.assert_allclose(points[36:48].mean(axis=0), landmarks[source][36:48].mean(axis=0), atol=5e-3)
    # Nearer to the source's face shape than the driving face is.
    shape, source_shape, driving_shape = (
        np.ptp(each, axis=0) for each in (points, landmarks[source], landmarks[driving])
    )
    assert np.linalg.norm(shape - source_shape) < np.linalg.norm(driving_shape - source_shape)


def test_ground_truth_of_other_videos_raises(synthetic_crops, talking_heads):
    with pytest.raises(InputError, match=r"holds no ground_truth"):
        GroundTruthReenactments(talking_heads / "nowhere", synthetic_crops)


def test_evaluate_with_ground_truth_scores_it_best(
    synthetic_data, synthetic_crops, videos, model_folder, tmp_path
):
    """Among baselines and an untrained model, over identities of all splits."""
    pairs = {name: PROTOCOL_PAIRS[name](synthetic_crops, 16, 0) for name in ("cross", "video")}
    write_pairs(tmp_path / "pairs.parquet", synthetic_crops, pairs)
    options = {"pairs": tmp_path / "pairs.parquet", "truth": videos}
    report = run([str(model_folder)], synthetic_data, tmp_path / "out", **options)
    assert GROUND_TRUTH in report.grids["cross"]
    assert report.metrics["protocols"]["cross"]["undetected"][GROUND_TRUTH]["count"] == 0
    truth, source, driving = (
        means(report, "cross", name) for name in (GROUND_TRUTH, SOURCE_COPIED, DRIVING_COPIED)
    )
    assert truth["csim"] > driving["csim"]
    assert truth["psim"] > source["psim"]
    assert truth["ed"] < source["ed"]
    for name in ("mse", "perceptual", "landmark_error"):
        assert truth[name] == pytest.approx(0, abs=1e-6)
        assert min(source[name], driving[name]) > 0
    flicker = report.metrics["protocols"]["video"]["metrics"]["flicker"]
    # The copied source differs by all motion; the copied driving video by nothing.
    assert flicker[DRIVING_COPIED]["mean"] == 0 < flicker[SOURCE_COPIED]["mean"]
    assert flicker[SOURCE_COPIED]["pairs"] == 15
