"""Pairs for other programs: what they get, and that what they give back is met by the same pairs."""

import json
import shutil

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from facegan.cli import main
from facegan.data import FaceCrops
from facegan.errors import InputError
from facegan.evaluation import evaluate, export_pairs
from facegan.evaluation.evaluate import PAIRS
from facegan.evaluation.evaluation_pairs import read_pairs
from facegan.io.images import tensor_to_images


def test_pictures_are_the_crops_of_the_pairs(data, crops, tmp_path):
    counts = export_pairs(data, tmp_path / "pairs", pairs=5)
    assert counts == {"self": 5, "cross": 5, "lsim": 5}
    for protocol, chosen in read_pairs(tmp_path / "pairs" / PAIRS, crops).items():
        for role in ("source", "driver"):
            for pair, index in enumerate(getattr(chosen, role)):
                image = cv2.imread(str(tmp_path / f"pairs/{protocol}/{role}/{pair:06d}.png"))[..., ::-1]
                np.testing.assert_array_equal(image, tensor_to_images(crops.picture(int(index))))


def test_inputs_are_those_of_the_models(data, crops, tmp_path):
    export_pairs(data, tmp_path / "pairs", pairs=5, protocols=["self"])
    chosen = read_pairs(tmp_path / "pairs" / PAIRS, crops)["self"]
    inputs = pq.read_table(tmp_path / "pairs/inputs.parquet").to_pylist()
    for pair, (source, driver, _) in enumerate(zip(*chosen, strict=True)):
        row = inputs[pair]
        assert (row["protocol"], row["pair"]) == ("self", pair)
        np.testing.assert_array_equal(np.float32(row["driver_motion"]), crops.motion[driver])
        np.testing.assert_array_equal(np.float32(row["source_landmarks"]), crops.landmarks[source].ravel())
        behind = cv2.imread(str(tmp_path / f"pairs/self/background/{pair:06d}.png"))[..., ::-1]
        np.testing.assert_array_equal(behind, tensor_to_images(crops.background(int(source), int(driver))[0]))


def test_are_those_that_an_evaluation_would_choose(data, model_folder, tmp_path):
    export_pairs(data, tmp_path / "pairs", pairs=5, seed=3)
    evaluate([str(model_folder)], data, tmp_path / "out", pairs=5, seed=3, workers=1, progress=False)
    crops = FaceCrops(data)
    exported, used = (read_pairs(tmp_path / folder / PAIRS, crops) for folder in ("pairs", "out"))
    assert list(exported) == list(used)
    for name, chosen in exported.items():
        for one, other in zip(chosen, used[name], strict=True):
            np.testing.assert_array_equal(one, other)


def test_another_program_is_measured_on_them_by_commands(data, tmp_path, capsys):
    """It shows the driver as it is."""
    pairs, made, out = tmp_path / "pairs", tmp_path / "made", tmp_path / "out"
    assert main(["pairs", "--data", str(data), "--out", str(pairs), "--pairs", "3"]) == 0
    assert capsys.readouterr().out == f"3 self, 3 cross, 3 lsim: {pairs}\n"
    for protocol in ("self", "cross", "lsim"):
        shutil.copytree(pairs / protocol / "driver", made / protocol)
    line = ["evaluate", "--predictions", f"driver shown={made}", "--pairs", str(pairs / PAIRS)]
    assert main([*line, "--data", str(data), "--out", str(out), "--workers", "1"]) == 0
    assert f"report: {out}/report.html" in capsys.readouterr().out
    measured = json.loads((out / "metrics.json").read_text())["protocols"]["cross"]["measures"]
    assert measured["psim"]["driver shown"]["mean"] == pytest.approx(1)
    assert measured["ed"]["driver shown"]["mean"] == pytest.approx(0)
    assert measured["csim"]["driver shown"]["mean"] < 1


def test_nothing_is_overwritten_unasked(data, tmp_path):
    export_pairs(data, tmp_path / "pairs", pairs=2)
    with pytest.raises(InputError, match="not empty"):
        export_pairs(data, tmp_path / "pairs", pairs=2)
    export_pairs(data, tmp_path / "pairs", pairs=1, overwrite=True)
    assert len(list((tmp_path / "pairs/self/source").iterdir())) == 1
