import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.facegan.evaluation.conftest import run

from facegan.cli import main
from facegan.data import FaceCrops
from facegan.data.evaluation_pairs import read_pairs
from facegan.errors import InputError
from facegan.evaluation import export_pairs
from facegan.evaluation.experiments import PAIRS_FILE
from facegan.io.images import read_image, tensor_to_images

pytestmark = pytest.mark.slow


def test_export_pairs_writes_the_crops_and_model_inputs(data, crops, tmp_path):
    assert export_pairs(data, tmp_path / "pairs", pairs=5) == {"self": 5, "cross": 5, "lsim": 5}
    inputs = pq.read_table(tmp_path / "pairs/inputs.parquet").to_pylist()
    for protocol, chosen in read_pairs(tmp_path / "pairs" / PAIRS_FILE, crops).items():
        folder = tmp_path / "pairs" / protocol
        for pair, (source, driving, target) in enumerate(zip(*chosen, strict=True)):
            roles = {"source": source, "driving": driving} | (
                {"target": target} if protocol == "lsim" else {}
            )
            for role, index in roles.items():
                image = read_image(folder / role / f"{pair:06d}.png")
                np.testing.assert_array_equal(image, crops.image(int(index)))
            background = tensor_to_images(crops.background(int(source), int(driving))[0])
            np.testing.assert_array_equal(read_image(folder / f"background/{pair:06d}.png"), background)
            row = inputs.pop(0)
            assert (row["protocol"], row["pair"]) == (protocol, pair)
            np.testing.assert_array_equal(np.float32(row["driving_motion"]), crops.motion[driving])
            np.testing.assert_array_equal(
                np.float32(row["source_landmarks"]), crops.landmarks[source].ravel()
            )


def test_export_pairs_selects_the_pairs_of_evaluate(data, model_folder, tmp_path):
    export_pairs(data, tmp_path / "pairs", pairs=5, seed=3)
    run([str(model_folder)], data, tmp_path / "out", pairs=5, seed=3)
    crops = FaceCrops(data)
    exported, used = (read_pairs(tmp_path / folder / PAIRS_FILE, crops) for folder in ("pairs", "out"))
    assert list(exported) == list(used)
    for name, chosen in exported.items():
        np.testing.assert_array_equal(chosen, used[name])


def test_commands_pairs_and_evaluate_score_another_program(data, tmp_path, capsys):
    """It copies the driving image."""
    pairs, predictions, out = tmp_path / "pairs", tmp_path / "predictions", tmp_path / "out"
    assert main(["pairs", "--data", str(data), "--out", str(pairs), "--pairs", "3"]) == 0
    assert capsys.readouterr().out == f"3 self, 3 cross, 3 lsim: {pairs}\n"
    for protocol in ("self", "cross", "lsim"):
        shutil.copytree(pairs / protocol / "driving", predictions / protocol)
    line = ["evaluate", "--predictions", f"other program={predictions}", "--pairs", str(pairs / PAIRS_FILE)]
    assert main([*line, "--data", str(data), "--out", str(out), "--workers", "1"]) == 0
    assert f"report: {out}/report.html" in capsys.readouterr().out
    metrics = json.loads((out / "metrics.json").read_text())["protocols"]["cross"]["metrics"]
    assert metrics["psim"]["other program"]["mean"] == pytest.approx(1)
    assert metrics["ed"]["other program"]["mean"] == pytest.approx(0)
    assert metrics["csim"]["other program"]["mean"] < 1


def test_export_pairs_into_a_full_folder_needs_overwrite(data, tmp_path):
    export_pairs(data, tmp_path / "pairs", pairs=2)
    with pytest.raises(InputError, match="not empty"):
        export_pairs(data, tmp_path / "pairs", pairs=2)
    export_pairs(data, tmp_path / "pairs", pairs=1, overwrite=True)
    assert len(list((tmp_path / "pairs/self/source").iterdir())) == 1
