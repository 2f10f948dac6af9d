"""Drawn people, of whom the true answer is known: it beats everything else."""

import numpy as np
import pytest

from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.evaluation import evaluate
from facegan.evaluation.evaluation_pairs import write_pairs
from facegan.evaluation.ground_truth import GroundTruthReenactments
from facegan.evaluation.methods import ANSWER, DRIVER, SOURCE
from facegan.evaluation.protocols import PROTOCOLS
from facegan.preparation import PrepareConfig
from facegan.preparation.synthesize import synthesize
from facegan.preparation.synthetic import prepare_synthetic

SIZE = 96


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Four people, all of whom are tested on, long enough for a run of successive frames."""
    out = tmp_path_factory.mktemp("drawn") / "videos"
    return synthesize(out, identities=4, clips=1, seconds=1.2, size=128, seed=3, progress=False)


@pytest.fixture(scope="module")
def drawn(videos, tmp_path_factory):
    out = tmp_path_factory.mktemp("drawn") / "data"
    prepare_synthetic(videos, out, PrepareConfig(SIZE, 30), workers=1, progress=False)
    return out


@pytest.fixture(scope="module")
def everybody(drawn):
    return FaceCrops(drawn)


def test_own_motion_is_answered_with_the_crop_itself(videos, everybody):
    """But for noise and compression, which the answer has not."""
    answers = GroundTruthReenactments(videos, everybody)
    for index in (0, len(everybody) // 2):
        image, points = answers.answer(index, index)
        np.testing.assert_allclose(points, everybody.landmarks[index], atol=2e-3)
        crop = (everybody.picture(index).permute(1, 2, 0).numpy() + 1) * 127.5
        assert np.abs(image - crop).mean() < 6


def test_other_motion_is_answered_with_the_sources_person_and_eyes_in_place(videos, everybody):
    answers = GroundTruthReenactments(videos, everybody)
    people = np.unique(everybody.identity, return_index=True)[1]
    one, other = int(people[0]), int(people[1]) + 20
    _, points = answers.answer(one, other)
    between = points[36:48].mean(axis=0)
    np.testing.assert_allclose(between, everybody.landmarks[one][36:48].mean(axis=0), atol=5e-3)
    # Nearer to the source's own face shape than the driver is.
    shape = [np.ptp(p, axis=0) for p in (points, everybody.landmarks[one], everybody.landmarks[other])]
    assert np.linalg.norm(shape[0] - shape[1]) < np.linalg.norm(shape[2] - shape[1])


def test_truth_of_other_videos_is_refused(everybody, talking_heads):
    with pytest.raises(InputError, match=r"holds no ground_truth"):
        GroundTruthReenactments(talking_heads / "nowhere", everybody)


def test_the_answer_wins(drawn, everybody, videos, model_folder, tmp_path):
    """Among naive answers and a model that has learnt nothing, over people of all splits."""
    pairs = tmp_path / "pairs.parquet"
    write_pairs(
        pairs, everybody, {name: PROTOCOLS[name].choose(everybody, 16, 0) for name in ("cross", "video")}
    )
    options = {"pairs": pairs, "truth": videos, "workers": 1, "progress": False}
    report = evaluate([str(model_folder)], drawn, tmp_path / "out", **options)
    found = report.metrics["protocols"]
    cross = found["cross"]["measures"]
    assert ANSWER in report.sheets["cross"]
    assert found["cross"]["misses"][ANSWER]["count"] == 0
    best = {name: {method: entry["mean"] for method, entry in cross[name].items()} for name in cross}
    assert best["csim"][ANSWER] > best["csim"][DRIVER]
    assert best["psim"][ANSWER] > best["psim"][SOURCE]
    assert best["ed"][ANSWER] < best["ed"][SOURCE]
    for name in ("true_mse", "true_perceptual", "true_landmarks"):
        assert best[name][ANSWER] == pytest.approx(0, abs=1e-6)
        assert min(best[name][SOURCE], best[name][DRIVER]) > 0
    flicker = {method: entry["mean"] for method, entry in found["video"]["measures"]["flicker"].items()}
    # A still picture differs by all that moves; the driver itself by nothing.
    assert flicker[DRIVER] == 0 < flicker[SOURCE]
    assert found["video"]["measures"]["flicker"][SOURCE]["pairs"] == 15
