import pytest
from benchmarks.metric_validation.validate_metrics import (
    GROUND_TRUTH,
    SENSITIVE_TO,
    compare_frames,
    perturb_reenactments,
)
from tests.facegan.evaluation_data import crops, data, faces, write_data  # noqa: F401

from facegan.perception.face_measurer import MetricBackends


@pytest.mark.slow
def test_perturb_reenactments_scores_the_ground_truth_best():
    with MetricBackends().open() as measurer:
        results = perturb_reenactments(3, measurer)
    assert results.values["csim"]["source copied"].min() == pytest.approx(1, abs=1e-6)
    assert results.values["ed"]["driving copied"].max() == pytest.approx(0, abs=1e-6)
    assert results.values["ed"][GROUND_TRUTH].min() > 0
    for name in SENSITIVE_TO["lsim"]:
        assert results.detection_rate("lsim", name) == 1


@pytest.mark.slow
def test_compare_frames_of_two_identities_separates_them(crops):  # noqa: F811
    with MetricBackends().open() as measurer:
        results = compare_frames(crops, measurer)
    assert (results.same, results.different, results.auc) == (2 * 3 * 2, 5 * 5, 1)
    assert results.means["itself"] == pytest.approx({"csim": 1, "psim": 1, "ed": 0, "lsim": 0}, abs=1e-6)
    assert results.means["other person"]["csim"] < 0.95
