import hashlib
import signal
import subprocess
import sys

import av
import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from facegan.errors import InputError
from facegan.preparation import synthesize as clips
from facegan.preparation.synthesize import synthesize
from synthetic_heads import render, sample_identity, sample_scene

SMALL = {"identities": 2, "clips": 2, "seconds": 0.25, "size": 64, "seed": 5, "fps": 24.0, "workers": 1}
SMALL |= {"progress": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return synthesize(tmp_path_factory.mktemp("heads") / "out", **SMALL)


@pytest.fixture(scope="module")
def table(folder):
    return pq.read_table(folder / "ground_truth.parquet").to_pandas()


def videos(folder):
    """Each video's path in the folder to its hash."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.mp4"))
    }


def truth(folder):
    return pq.read_table(folder / "ground_truth.parquet")


def decode(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_videos_and_ground_truth_agree(folder, table):
    assert list(videos(folder)) == ["0000/00.mp4", "0000/01.mp4", "0001/00.mp4", "0001/01.mp4"]
    assert sorted(path.name for path in folder.iterdir()) == ["0000", "0001", "ground_truth.parquet"]
    for name, rows in table.groupby("video"):
        with av.open(str(folder / name)) as container:
            assert container.streams.video[0].average_rate == 24
            assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
            times = [frame.time for frame in container.decode(video=0)]
        np.testing.assert_allclose(rows["time"], times, atol=1e-3)
        assert rows["frame"].tolist() == list(range(6))
        assert name == f"{rows['identity'].iloc[0]}/{rows['clip'].iloc[0]:02d}.mp4"
        assert set(rows["fps"]) == {24}
        assert np.stack(rows["motion"]).shape == (6, 20)
        assert np.ptp(np.stack(rows["gaze"]), axis=0).max() > 0
    assert table.groupby("identity")["identity_seed"].nunique().tolist() == [1, 1]
    assert table["identity_seed"].nunique() == 2
    assert table["scene_seed"].nunique() == 4
    assert table["noise_seed"].nunique() == len(table)


def test_render_frame_repeats_any_frame(folder, table):
    for _, row in table.iloc[::5].iterrows():
        scene = sample_scene(row["scene_seed"])
        frame = render(
            sample_identity(row["identity_seed"]),
            row["motion"],
            row["size"],
            gaze=row["gaze"],
            scene=scene,
            noise_seed=row["noise_seed"],
        )
        np.testing.assert_array_equal(frame.mesh, row["mesh"].reshape(478, 3))
        np.testing.assert_array_equal(frame.landmarks, row["landmarks"].reshape(68, 2))
        labels = cv2.imdecode(np.frombuffer(row["segmentation"], np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(frame.segmentation, labels)
        np.testing.assert_array_equal(
            row["camera"], (scene.camera.distance, scene.camera.focal, *scene.camera.center)
        )
        seen = decode(folder / row["video"])[row["frame"]]
        # Compression keeps little of the colors of single pixels.
        smooth, drawn = (cv2.GaussianBlur(image, (0, 0), 2).astype(int) for image in (seen, frame.image))
        assert np.abs(smooth - drawn).mean() < 4


def test_synthesize_sound_has_video_length_and_is_not_silent(folder):
    loudest = 0.0
    for path in folder.rglob("*.mp4"):
        with av.open(str(path)) as container:
            sound = container.streams.audio[0]
            assert sound.codec_context.name == "aac"
            samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(sound)])
        assert len(samples) / sound.rate == pytest.approx(0.25, abs=0.06)
        loudest = max(loudest, np.abs(samples).max())
    assert loudest > 0.02


@pytest.mark.slow
def test_workers_change_nothing_and_more_people_or_time_only_add(folder, tmp_path):
    larger = SMALL | {"identities": 3, "clips": 3, "workers": 2}
    out = synthesize(tmp_path / "out", **larger)
    files = videos(out)
    assert len(files) == 9
    assert len(set(files.values())) == 9
    assert {name: files[name] for name in videos(folder)} == videos(folder)
    rows, more = truth(folder), truth(out).to_pandas()
    more = more[(more["identity"] < "0002") & (more["clip"] < 2)]
    for name in rows.column_names:
        np.testing.assert_array_equal(
            np.stack(rows[name].to_numpy(zero_copy_only=False)), np.stack(more[name].to_numpy()), err_msg=name
        )


def test_overwriting_has_to_be_asked_for(folder, tmp_path):
    few = SMALL | {"clips": 1, "seconds": 0.1}
    out = synthesize(tmp_path / "out", **few)
    with pytest.raises(InputError, match="not empty"):
        synthesize(out, **few)
    synthesize(out, **few | {"identities": 1}, overwrite=True)
    assert list(videos(out)) == ["0000/00.mp4"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


DYING = """
import os, pathlib, signal, sys
from facegan.preparation import synthesize as clips

def dies(function, calls):
    def counted(*arguments, **more):
        nonlocal calls
        calls -= 1
        if calls < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **more)
    return counted

where, calls, out, settings = sys.argv[1], int(sys.argv[2]), sys.argv[3], eval(sys.argv[4])
owner = pathlib.Path if where in ("replace", "rename") else clips
setattr(owner, where, dies(getattr(owner, where), calls))
clips.synthesize(pathlib.Path(out), **settings)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "calls", "kept"),
    [
        ("replace", 3, 1),  # the second clip has its video but not its rows
        ("rename", 2, 2),  # half of the videos have gone over into the result
    ],
)
def test_synthesize_killed_and_resumed_is_equal(folder, tmp_path, where, calls, kept):
    out = tmp_path / "out"
    command = [sys.executable, "-c", DYING, where, str(calls), str(out), repr(SMALL)]
    done = subprocess.run(command, capture_output=True, timeout=100)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not out.exists()
    work = tmp_path / ".out.partial"
    finished = [path for path in work.glob("0*/??.parquet") if path.with_suffix(".mp4").exists()]
    assert len(finished) == kept
    synthesize(out, **SMALL)
    assert videos(out) == videos(folder)
    assert truth(out).equals(truth(folder))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_synthesize_resumes_unless_settings_change(tmp_path, monkeypatch):
    drawn, real = [], clips.render

    def interrupted(identity, *how, **more):
        drawn.append(identity.seed)
        if len(drawn) == 15:
            raise KeyboardInterrupt
        return real(identity, *how, **more)

    monkeypatch.setattr(clips, "render", interrupted)
    for settings, expected in ((SMALL, 15), (SMALL, 15 + 2 * 6), (SMALL | {"seed": 6}, 27 + 4 * 6)):
        try:
            synthesize(tmp_path / "out", **settings, overwrite=True)
        except KeyboardInterrupt:
            assert not (tmp_path / "out").exists()
        assert len(drawn) == expected
    with pytest.raises(RuntimeError, match="out of paint"):
        synthesize(tmp_path / "new", **SMALL | {"seconds": float(fail(monkeypatch))})
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def fail(monkeypatch):
    """An error, unlike an interrupt, leaves no work behind."""

    def stop(*_, **__):
        msg = "out of paint"
        raise RuntimeError(msg)

    monkeypatch.setattr(clips, "render", stop)
    return 0.1


def test_somebody_elses_folder_is_never_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds no ground_truth\.parquet"):
        synthesize(tmp_path, **SMALL, overwrite=True)
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(
    "bad",
    [{"identities": 0}, {"seconds": float("nan")}, {"size": 65}, {"fps": 0}, {"seed": -1}, {"workers": 0}],
)
def test_numbers_out_of_range_are_refused(tmp_path, bad):
    with pytest.raises(InputError, match=r"cannot synthesize|workers is"):
        synthesize(tmp_path / "out", **SMALL | bad)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_synthesize_without_numba_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['numba'] = None; from facegan.cli import main; sys.exit(main())"
    arguments = ("synthesize", "--identities", "1", "--clips", "1", "--out", str(tmp_path / "out"))
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert "needs Numba: pip install 'facegan[synthetic]'" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
