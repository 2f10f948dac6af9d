"""Models of which the right score is known."""

import numpy as np
import pytest
import torch

from facegan.evaluation.assess import assess
from facegan.evaluation.protocols import PROTOCOLS, Trials
from facegan.evaluation.scores import MEASURES
from facegan.landmarks import draw_gaussians
from facegan.networks import FaceGAN, FaceGANConfig


@pytest.fixture(scope="module")
def run(crops, observer):
    def run(model, protocol, count=100, **options):
        chosen = PROTOCOLS[protocol]
        return assess(model, crops, chosen.choose(crops, count, 0), chosen, observer, **options)

    return run


def of(outcome, method):
    return {name: values[method] for name, values in outcome.values.items() if method in values}


@pytest.mark.parametrize("protocol", ["self", "cross"])
def test_who_shows_the_driver_follows_it_perfectly(run, oracle, protocol):
    outcome = run(oracle, protocol)
    values = of(outcome, "model")
    assert values == of(outcome, "driver")
    assert values.get("mse", 0) == 0
    assert values.get("landmarks", 0) < 1e-5
    assert values["psim"] > 0.99999
    assert values["ed"] < 1e-9
    assert values["ed_euclidean"] < 1e-4
    assert outcome.misses["model"] == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_who_copies_the_source_is_the_baseline(run, painter, protocol):
    outcome = run(painter(lambda source, wanted: source), protocol)
    assert of(outcome, "model") == of(outcome, "source")
    assert outcome.misses["model"] == outcome.misses["source"]
    assert list(outcome.values) == list(PROTOCOLS[protocol].measures)


def test_copying_the_source_keeps_the_identity_and_copying_the_driver_does_not(run, oracle):
    values = run(oracle, "cross").values
    assert values["csim"]["source"] > 0.9999 > values["csim"]["driver"]
    assert values["psim"]["source"] < values["psim"]["driver"]
    assert values["ed"]["source"] > values["ed"]["driver"]


def test_values_are_the_means_over_trials(run, crops, painter):
    """The numbers of a copied source follow from the data set's own columns, over batches of 8 and less."""
    outcome = run(painter(lambda source, wanted: source), "self")
    source, driver, _ = PROTOCOLS["self"].choose(crops, 100, 0)
    assert outcome.pairs == len(source) > 8
    values = of(outcome, "model")
    units = crops.motion[:, :17]
    assert values["ed"] == pytest.approx(np.square(units[source] - units[driver]).mean(), rel=1e-4)
    distances = np.linalg.norm(crops.landmarks[source] - crops.landmarks[driver], axis=-1)
    assert values["landmarks"] == pytest.approx(distances.mean(), rel=1e-4)
    sources, drivers = (torch.stack([crops.picture(one) for one in role]) for role in (source, driver))
    assert values["mse"] == pytest.approx((sources - drivers).square().mean().item() / 4, rel=1e-4)


def test_lsim_compares_with_the_second_picture(run, crops, painter):
    source, _, second = PROTOCOLS["lsim"].choose(crops, 100, 0)
    outcome = run(painter(lambda source, wanted: source), "lsim")
    wanted = np.square(crops.landmarks[source] - crops.landmarks[second]).mean()
    assert outcome.values["lsim"]["source"] == pytest.approx(wanted, rel=1e-4)
    assert not outcome.columns


def test_mean_picture_is_measured_in_pixels_only(run, crops, oracle):
    mean = torch.stack([crops.picture(index) for index in range(len(crops))]).mean(dim=0)
    outcome = run(oracle, "self", mean=mean)
    drivers = PROTOCOLS["self"].choose(crops, 100, 0).driver
    wanted = np.mean([(mean - crops.picture(driver)).square().mean() / 4 for driver in drivers])
    assert outcome.values["mse"]["mean"] == pytest.approx(wanted, rel=1e-4)
    assert [name for name, values in outcome.values.items() if "mean" in values] == ["mse"]


def test_no_face_anywhere_has_no_values_but_pixels(run, painter):
    outcome = run(painter(lambda source, wanted: torch.zeros_like(source)), "self", 9)
    values = of(outcome, "model")
    assert outcome.misses == {"model": 9, "source": 0, "driver": 0}
    assert values.pop("mse") > 0
    assert set(values.values()) == {None}
    assert outcome.as_dict()["misses"]["model"] == {"count": 9, "share": 1}


def test_a_miss_leaves_the_other_results_as_they_are(crops, observer, oracle, painter):
    """A model that fails for one driver scores as one that never met it."""
    cross = PROTOCOLS["cross"]
    trials = cross.choose(crops, 14, 0)
    gone = torch.from_numpy(crops.motion[trials.driver[0]])
    failing = painter(lambda source, wanted: oracle.paint(source, wanted) * (wanted - gone).any())
    outcome = assess(failing, crops, trials, cross, observer)
    assert outcome.misses["model"] == 1
    rest = assess(oracle, crops, Trials(*(part[1:] for part in trials)), cross, observer)
    assert of(outcome, "model") == pytest.approx(of(rest, "model"), abs=1e-6)


def test_a_model_of_nan_is_no_crash_and_no_number(run, painter):
    outcome = run(painter(lambda source, wanted: source * torch.nan), "self", 3)
    assert outcome.values["mse"]["model"] is None
    assert outcome.misses["model"] == 3


@pytest.mark.parametrize(("count", "rows"), [(100, 6), (9, 6), (2, 2)])
def test_six_evenly_chosen_trials_are_shown(run, crops, oracle, count, rows):
    columns = run(oracle, "self", count).columns
    assert list(columns) == ["source", "driver", "landmarks", "face", "mask", "result"]
    assert {len(pictures) for pictures in columns.values()} == {rows}
    trials = PROTOCOLS["self"].choose(crops, count, 0)
    torch.testing.assert_close(columns["driver"][0], crops.picture(trials.driver[0]))
    torch.testing.assert_close(columns["source"][-1], crops.picture(trials.source[-1]))


def test_every_measure_is_used_and_described():
    used = {name for protocol in PROTOCOLS.values() for name in protocol.measures}
    assert used == set(MEASURES)
    for measure in MEASURES.values():
        higher = measure.new().higher_is_better
        assert higher is None or higher == (measure.better == "↑")


def test_a_model_without_landmark_transformer_gets_the_drivers_landmarks(run, crops):
    tiny = {"kind": "global", "width": 8, "downsamplings": 2, "blocks": 1}
    config = FaceGANConfig(size=64, reenactor=tiny, background_mixer=tiny, transform_landmarks=False)
    model, drawn = FaceGAN(config).eval(), []
    model.reenactor.register_forward_hook(lambda network, inputs, made: drawn.append(inputs[1]))
    run(model, "cross", 5)
    _, driver, _ = PROTOCOLS["cross"].choose(crops, 5, 0)
    heatmap = draw_gaussians(torch.from_numpy(crops.landmarks[driver]), crops.size, config.sigma)
    torch.testing.assert_close(torch.cat(drawn), heatmap)
