import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from facegan import motion
from facegan.errors import InputError
from facegan.synthetic import sample_motion, synthesize

SMALL = {"identities": 2, "clips": 1, "seconds": 0.5, "size": 64, "seed": 5, "fps": 24.0, "progress": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return synthesize(tmp_path_factory.mktemp("heads") / "out", **SMALL)


def decode(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_videos_and_ground_truth_agree(folder):
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.mp4")) == [
        "0000/00.mp4",
        "0001/00.mp4",
    ]
    table = pq.read_table(folder / "ground_truth.parquet").to_pandas()
    for name, rows in table.groupby("video"):
        with av.open(str(folder / name)) as container:
            assert container.streams.video[0].average_rate == 24
            assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
            times = [frame.time for frame in container.decode(video=0)]
        np.testing.assert_allclose(rows["time"], times, atol=1e-3)
        assert rows["frame"].tolist() == list(range(12))
        assert set(rows["identity"]) == {name.split("/")[0]}
        landmarks = np.stack(rows["landmarks"]).reshape(-1, 68, 2)
        assert (landmarks > 0).all()
        assert (landmarks < 64).all()
        assert np.stack(rows["motion"]).shape == (12, 20)


def test_sound_is_as_long_as_the_picture_and_not_silent(folder):
    with av.open(str(folder / "0000/00.mp4")) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name == "aac"
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(sound)])
    assert len(samples) / sound.rate == pytest.approx(0.5, abs=0.06)
    assert np.abs(samples).max() > 0.02


def test_same_seed_gives_the_same_pixels_and_overwriting_has_to_be_asked_for(folder, tmp_path):
    out = synthesize(tmp_path / "out", **SMALL)
    np.testing.assert_array_equal(decode(folder / "0001/00.mp4"), decode(out / "0001/00.mp4"))
    with pytest.raises(InputError, match="not empty"):
        synthesize(out, **SMALL)
    synthesize(out, **SMALL | {"identities": 1}, overwrite=True)
    assert [path.name for path in out.iterdir() if path.is_dir()] == ["0000"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_somebody_elses_folder_is_never_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds no ground_truth\.parquet"):
        synthesize(tmp_path, **SMALL, overwrite=True)
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(
    "bad", [{"identities": 0}, {"seconds": float("nan")}, {"size": 65}, {"fps": 0}, {"seed": -1}]
)
def test_numbers_out_of_range_are_refused(tmp_path, bad):
    with pytest.raises(InputError, match="cannot synthesize"):
        synthesize(tmp_path / "out", **SMALL | bad)
    assert not list(tmp_path.iterdir())


def test_movements_are_smooth_lively_and_within_bounds():
    movement = sample_motion(1, 1500, 25.0)
    np.testing.assert_array_equal(movement, sample_motion(1, 1500, 25.0))
    units, angles = movement[:, :17], np.degrees(movement[:, 17:] * motion.ANGLE_SCALE)
    assert units.min() >= 0
    assert units.max() <= 1
    assert (units.std(axis=0) > 0.01).all()
    assert np.abs(angles[:, 1]).max() <= 25
    assert np.ptp(angles[:, 1]) > 25
    assert np.abs(np.diff(angles, axis=0)).max() < 5
    blinks = np.flatnonzero(np.diff((movement[:, motion.NAMES.index("AU45")] > 0.5).astype(int)) == 1)
    assert 12 < len(blinks) < 50
