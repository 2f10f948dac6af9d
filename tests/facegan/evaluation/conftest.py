"""Evaluations of a tiny model on a small data set of synthetic heads."""

import pytest
import torch
from tests.facegan.evaluation_data import SIZE  # noqa: F401

from facegan.evaluation import EvaluationConfig, evaluate
from facegan.io.images import write_image
from facegan.networks import FaceGAN, FaceGANConfig

TINY = {"kind": "global", "width": 8, "downsamplings": 2, "num_residual_blocks": 1}


def run(models, data, out, predictions=(), **options):
    """Evaluate in one process without progress bars, nine pairs of each protocol by default."""
    config = EvaluationConfig(**({"pairs": 9, "workers": 1} | options))
    return evaluate(models, data, out, predictions=predictions, config=config, progress=False)


def means(report, protocol, method):
    """Return metric to mean of a method."""
    metrics = report.metrics["protocols"][protocol]["metrics"]
    return {name: methods[method]["mean"] for name, methods in metrics.items() if method in methods}


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """A tiny model with random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    FaceGAN(FaceGANConfig(size=64, reenactor=TINY, background_mixer=TINY)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def write_predictions(crops):
    """Writes images that a function makes of source and driving image, for all pairs of protocols."""

    def write(folder, pairs, predict):
        for protocol, chosen in pairs.items():
            for pair, (source, driving, _) in enumerate(zip(*chosen, strict=True)):
                image = predict(crops.image(int(source)), crops.image(int(driving)))
                write_image(folder / protocol / f"{pair:06d}.png", image)
        return folder

    return write
