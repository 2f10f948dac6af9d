from __future__ import annotations

import signal
from fractions import Fraction
from functools import partial

import av
import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from facegan.errors import InputError
from facegan.inference import Animator, MotionTransferConfig, RenderConfig, reenact
from facegan.inference.driving_video import read_driving_image, track_driving_face
from facegan.io.images import center_crop, image_to_tensor, read_image, tensor_to_images
from facegan.io.video_reader import VideoReader
from facegan.provenance import ProvenanceConfig, detect_provenance

pytestmark = pytest.mark.slow

plain = partial(reenact, provenance=ProvenanceConfig(marks=False), progress=False)
EMPTY = np.full((128, 128, 3), 100, np.uint8)


@pytest.fixture
def photo(tmp_path, photograph):
    path = tmp_path / "photo.png"
    Image.fromarray(photograph).save(path)
    return path


@pytest.fixture
def clip(make_video, heads):
    return make_video("clip.mp4", heads[:20])


def motion_of(path):
    return read_driving_image(read_image(path), path).motion[None]


def video_of(path):
    """Times and pictures."""
    with av.open(path) as container:
        frames = list(container.decode(video=0))
    return [f.pts * f.time_base for f in frames], np.stack([f.to_ndarray(format="rgb24") for f in frames])


def sound_of(path):
    with av.open(path) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def listing(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_reenact_video_keeps_times_and_sound(animator, source, photo, clip, tmp_path):
    out = tmp_path / "new" / "folder" / "out.mp4"
    frames = []
    summary = plain(animator, photo, clip, out, on_frame=lambda image, share: frames.append(image))
    assert (summary.frames, summary.frames_without_face, summary.fps, summary.has_sound) == (20, 0, 25, True)
    assert summary.decode_error is None
    assert summary.seconds > 0
    assert f"{out}: 20 frames at 25 fps, with sound" in summary.describe()
    times, images = video_of(out)
    assert times == video_of(clip)[0]
    assert sound_of(out) == sound_of(clip)
    motion = torch.stack([step.motion for step in track_driving_face(VideoReader(clip))])
    expected = tensor_to_images(animator.animate(source, motion).result).astype(int)
    assert np.abs(images - expected).mean() < 12
    assert np.abs(frames - expected).max() <= 1
    assert np.abs(frames - expected[::-1]).max() > 1


def test_reenact_variable_frame_rate_keeps_times(animator, photo, make_video, heads, tmp_path):
    times = [0, 33, 34, 120, 500, 900, 901, 1000, 1400, 1401]
    driver = make_video("vfr.mkv", heads[:10], times=times, time_base=Fraction(1, 1000), sound=None)
    summary = plain(animator, photo, driver, tmp_path / "out.mp4")
    assert (summary.frames, summary.has_sound) == (10, False)
    assert [time * 1000 for time in video_of(tmp_path / "out.mp4")[0]] == times


def test_reenact_frames_without_face_keep_last_motion(animator, source, photo, make_video, heads, tmp_path):
    frames = [EMPTY] * 10 + heads[:6] + [EMPTY] * 3
    driver = make_video("gaps.mp4", frames)
    out = tmp_path / "out.mp4"
    summary = plain(animator, photo, driver, out)
    assert (summary.frames, summary.frames_without_face) == (19, 13)
    assert "13 driving frames without a face" in summary.describe()
    images = video_of(out)[1]
    at_rest = tensor_to_images(animator.animate(source, source.motion).result)[0].astype(int)
    assert np.abs(images[:10] - at_rest).mean() < 12
    assert np.abs(images[16:].astype(int) - images[15]).mean() < 6


def test_reenact_damaged_driving_video_is_used_up_to_damage(animator, photo, make_video, heads, tmp_path):
    driver = make_video("damaged.mkv", heads, sound="aac")
    driver.write_bytes(driver.read_bytes()[: driver.stat().st_size * 2 // 3])
    out = tmp_path / "out.mp4"
    summary = plain(animator, photo, driver, out)
    assert 5 < summary.frames < len(heads)
    assert len(video_of(out)[0]) == summary.frames


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.JPEG"])
def test_reenact_driving_image_writes_image(animator, source, photo, heads, tmp_path, name):
    driver = tmp_path / "driver.png"
    Image.fromarray(heads[7]).save(driver)
    out = tmp_path / "new" / name
    summary = plain(animator, photo, driver, out)
    assert (summary.frames, summary.frames_without_face, summary.fps, summary.has_sound) == (1, 0, 0, False)
    assert f"{out}: image" in summary.describe()
    expected = tensor_to_images(animator.animate(source, motion_of(driver)).result)[0]
    written = read_image(out)
    if name == "out.png":
        np.testing.assert_array_equal(written, expected)
    # JPEG keeps little of the colors of single pixels.
    smooth, whole = (cv2.GaussianBlur(image, (0, 0), 2).astype(int) for image in (written, expected))
    assert np.abs(smooth - whole).mean() < 1
    assert np.abs(smooth - whole).max() < 8


def test_reenact_background_replaces_own(animator, source, photo, clip, tmp_path):
    driver = tmp_path / "driver.png"
    Image.fromarray(read_image(photo)).save(driver)
    beach = np.random.default_rng(0).integers(0, 256, (40, 90, 3), np.uint8)
    Image.fromarray(beach).save(tmp_path / "beach.png")
    out = tmp_path / "out.png"
    plain(animator, photo, driver, out, render=RenderConfig(str(tmp_path / "beach.png")))
    behind = image_to_tensor(center_crop(beach, animator.size))[None]
    expected = tensor_to_images(animator.animate(source, motion_of(driver), behind).result)[0]
    np.testing.assert_array_equal(read_image(out), expected)
    plain(animator, photo, clip, tmp_path / "out.mp4", render=RenderConfig(str(tmp_path / "beach.png")))
    still = tensor_to_images(animator.animate(source, source.motion, behind).result)[0].astype(int)
    before = tensor_to_images(animator.animate(source, source.motion).result)[0].astype(int)
    images = video_of(tmp_path / "out.mp4")[1]
    assert np.abs(images - still).mean() < np.abs(images - before).mean()


def test_reenact_rotated_source_image_is_upright(animator, photo, photograph, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(np.rot90(photograph))).save(turned, exif=exif)
    for name, picture in (("a.png", photo), ("b.png", turned)):
        plain(animator, picture, picture, tmp_path / name)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), read_image(tmp_path / "b.png"))


def test_reenact_progress_leaves_stdout_empty(animator, photo, clip, tmp_path, capsys):
    plain(animator, photo, clip, tmp_path / "out.mp4", progress=True)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "missing.png"}, r"cannot read .*missing\.png"),
        ({"source": "wall.png"}, r"no face in .*wall\.png"),
        ({"source": "clip.mp4"}, r"cannot read .*clip\.mp4 as an image"),
        ({"source": "huge.png"}, r"huge\.png is too large"),
        ({"driving": "missing.mp4"}, r"cannot read .*missing\.mp4"),
        ({"driving": "text.txt"}, r"cannot read .*text\.txt"),
        ({"driving": "empty.mp4"}, r"no face in .*empty\.mp4"),
        ({"driving": "wall.png", "out": "new/out.png"}, r"no face in .*wall\.png"),
        ({"driving": "cut.png", "out": "new/out.png"}, r"cannot read .*cut\.png"),
        ({"driving": "head.png"}, r"the result is an image, name it \.png or \.jpg"),
        ({"out": "new/out.png"}, r"the result is a video, name it \.mp4"),
        ({"out": "new/out.avi"}, r"name it \.mp4"),
        ({"out": "new/out"}, r"name it \.mp4"),
        ({"out": "clip.mp4"}, r"clip\.mp4 is one of the inputs"),
        ({"out": "empty.mp4"}, r"empty\.mp4 exists"),
        ({"out": "folder.mp4"}, "it is a folder"),
        ({"out": "clip.mp4", "overwrite": True}, r"clip\.mp4 is one of the inputs, which would be lost"),
        ({"driving": "head.png", "out": "photo.png", "overwrite": True}, r"photo\.png is one of the inputs"),
        ({"driving": "head.png", "out": "head.png", "overwrite": True}, r"head\.png is one of the inputs"),
        ({"out": "folder.mp4", "overwrite": True}, "it is a folder"),
        ({"background": "missing.png"}, r"cannot read .*missing\.png as a background"),
        ({"background": "text.txt"}, r"cannot read .*text\.txt"),
    ],
)
def test_reenact_bad_input_leaves_nothing(
    animator, photo, clip, make_video, heads, tmp_path, arguments, message
):
    make_video("empty.mp4", [EMPTY] * 12)
    Image.fromarray(EMPTY).save(tmp_path / "wall.png")
    Image.fromarray(heads[0]).save(tmp_path / "head.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "head.png").read_bytes()[:3000])
    Image.new("1", (40_000, 10)).save(tmp_path / "huge.png")
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "folder.mp4").mkdir()
    before = listing(tmp_path)
    options = {
        "source": photo,
        "driving": clip,
        "out": tmp_path / "new" / "out.mp4",
    }
    options |= {key: value if value is True else tmp_path / value for key, value in arguments.items()}
    if "background" in options:
        options["render"] = RenderConfig(str(options.pop("background")))
    with pytest.raises(InputError, match=message) as error:
        plain(animator, **options)
    assert "\n" not in str(error.value)
    assert listing(tmp_path) == before


def test_reenact_overwrite_replaces_file(animator, photo, clip, tmp_path):
    out = tmp_path / "out.mp4"
    out.write_text("old")
    plain(animator, photo, clip, out, overwrite=True)
    assert len(video_of(out)[0]) == 20


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_reenact_interrupted_leaves_earlier_file(animator, photo, clip, tmp_path, interruption):
    class Interrupted(Animator):
        calls = 0

        def animate(self, *arguments):
            self.calls += 1
            if self.calls == 2:
                if interruption is RuntimeError:
                    raise RuntimeError
                signal.raise_signal(signal.SIGINT)
            return super().animate(*arguments)

    out = tmp_path / "out.mp4"
    out.write_text("old")
    before = listing(tmp_path)
    with pytest.raises(interruption):
        plain(Interrupted(animator.engine), photo, clip, out, overwrite=True)
    assert listing(tmp_path) == before


def frames_of(animator, source, driver, out, **options):
    """The frames as they are before they are encoded."""
    frames = []
    plain(animator, source, driver, out, on_frame=lambda image, share: frames.append(image), **options)
    return np.stack(frames).astype(int)


def test_reenact_relative_starts_with_source_motion(animator, source, photo, clip, tmp_path):
    frames = frames_of(
        animator, photo, clip, tmp_path / "out.mp4", transfer=MotionTransferConfig(relative=True)
    )
    still = tensor_to_images(animator.animate(source, source.motion).result)[0]
    assert np.abs(frames[0] - still).max() <= 1
    assert np.abs(frames[-1] - still).max() > 1


def test_reenact_relative_to_neutral_frame(animator, source, photo, clip, tmp_path):
    control = MotionTransferConfig(relative=True, reference="neutral")
    frames = frames_of(animator, photo, clip, tmp_path / "out.mp4", transfer=control)
    steps = list(track_driving_face(VideoReader(clip)))
    calmest = min(range(len(steps)), key=lambda index: steps[index].motion.norm())
    still = tensor_to_images(animator.animate(source, source.motion).result)[0]
    assert np.abs(frames[calmest] - still).max() <= 1
    assert np.abs(frames - still).max() > 1


def test_reenact_smooth_reports_latency(animator, photo, clip, tmp_path):
    out = tmp_path / "out.mp4"
    summary = plain(animator, photo, clip, out, transfer=MotionTransferConfig(smooth=True))
    assert 0.005 < summary.latency < 0.12
    assert f"delays the motion by {1000 * summary.latency:.0f} ms" in summary.describe()
    assert plain(animator, photo, clip, tmp_path / "b.mp4").latency is None


def test_reenact_paste_back_keeps_other_pixels(animator, photo, photograph, clip, tmp_path):
    scene = np.random.default_rng(1).integers(0, 256, (401, 603, 3), np.uint8)
    scene[100:356, 200:456] = photograph
    Image.fromarray(scene).save(tmp_path / "scene.png")
    out = tmp_path / "out.png"
    look = RenderConfig(paste_back=True)
    plain(animator, tmp_path / "scene.png", photo, out, render=look)
    pasted = read_image(out)
    assert pasted.shape == scene.shape
    crop = animator.prepare(scene).crop
    assert 0.05 < (pasted != scene).any(axis=-1).mean() < (crop.side + 2) ** 2 / scene[..., 0].size
    plain(animator, tmp_path / "scene.png", clip, tmp_path / "out.mp4", render=look)
    assert video_of(tmp_path / "out.mp4")[1].shape == (20, 400, 602, 3)


def test_reenact_side_by_side_shows_driving_frames_in_time(animator, photo, clip, heads, tmp_path):
    plain(animator, photo, clip, tmp_path / "out.mp4", render=RenderConfig(side_by_side=True))
    images = video_of(tmp_path / "out.mp4")[1]
    drivers = np.stack([cv2.resize(head, (256, 256)) for head in heads[:20]]).astype(int)
    # Panels of 256 pixels, 8 apart; the titles are above.
    shown = images[:, 47 : 47 + 256, 272 : 272 + 256].astype(int)
    differences = np.abs(shown[:, None] - drivers).mean(axis=(2, 3, 4))
    assert (np.abs(differences.argmin(axis=1) - np.arange(20)) <= 1).all()
    assert differences.min(axis=1).max() < 8


def test_reenact_driving_face_selects_face(animator, photo, photograph, heads, tmp_path):
    both = np.full((256, 400, 3), 128, np.uint8)
    both[:, :256], both[60:188, 264:392] = photograph, heads[9]
    Image.fromarray(both).save(tmp_path / "both.png")
    Image.fromarray(heads[9]).save(tmp_path / "one.png")
    plain(animator, photo, tmp_path / "both.png", tmp_path / "a.png", driving_face=2)
    plain(animator, photo, tmp_path / "both.png", tmp_path / "b.png")
    plain(animator, photo, tmp_path / "one.png", tmp_path / "c.png")
    second, first, alone = (read_image(tmp_path / name).astype(int) for name in ("a.png", "b.png", "c.png"))
    assert np.abs(second - alone).mean() < np.abs(first - alone).mean()


def test_reenact_on_frame_receives_frames_and_may_stop(animator, photo, clip, tmp_path):
    told = []
    plain(animator, photo, clip, tmp_path / "out.mp4", on_frame=lambda *frame: told.append(frame))
    images, shares = zip(*told, strict=True)
    assert len(images) == 20
    assert images[0].shape == (64, 64, 3)
    assert list(shares) == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1
    before = listing(tmp_path)

    def stop(image, share):
        if share > 0.3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        plain(animator, photo, clip, tmp_path / "out.mp4", overwrite=True, on_frame=stop)
    assert listing(tmp_path) == before


def test_reenact_sound_stays_synchronous(animator, photo, clip, tmp_path):
    """Cross-correlation of both sounds is greatest where neither is moved."""
    plain(animator, photo, clip, tmp_path / "out.mp4")

    def wave(path):
        with av.open(path) as container:
            start = container.start_time
            frames = list(container.decode(audio=0))
            first = frames[0].time - start / av.time_base
            return first, np.concatenate([frame.to_ndarray()[0] for frame in frames])

    (start, before), (begin, after) = wave(clip), wave(tmp_path / "out.mp4")
    assert begin == pytest.approx(start, abs=1e-3)
    count = min(len(before), len(after))
    spectrum = np.fft.rfft(before[:count], 2 * count) * np.fft.rfft(after[:count], 2 * count).conj()
    assert np.fft.irfft(spectrum).argmax() == 0


def test_render_config_paste_back_and_background_raise_input_error():
    with pytest.raises(InputError, match="choose one of the two"):
        RenderConfig("white", paste_back=True)


@pytest.mark.parametrize("name", ["out.mp4", "out.png"])
def test_reenact_result_is_marked_unless_disabled(animator, photo, clip, tmp_path, name):
    driver = clip if name.endswith("mp4") else photo
    reenact(
        animator, photo, driver, tmp_path / name, transfer=MotionTransferConfig(only="pose"), progress=False
    )
    found = detect_provenance(tmp_path / name)
    assert found.watermark_detected
    assert found.manifest.state == "valid"
    assert found.manifest.model == "tiny"
    assert found.manifest.actions[:2] == ("reenactment", "pose only")
    assert "photo" not in str(found.manifest)
    plain(animator, photo, driver, tmp_path / f"plain-{name}")
    bare = detect_provenance(tmp_path / f"plain-{name}")
    assert bare.manifest is None
    assert not bare.watermark_detected


def test_reenact_visible_label_is_drawn(animator, photo, tmp_path):
    for name, label in (("a.png", False), ("b.png", True)):
        reenact(
            animator,
            photo,
            photo,
            tmp_path / name,
            provenance=ProvenanceConfig(visible_label=label),
            progress=False,
        )
    first, second = (read_image(tmp_path / name).astype(int) for name in ("a.png", "b.png"))
    changed = np.abs(first - second).max(axis=-1) > 40
    assert 0.005 < changed.mean() < 0.15
    assert not changed[16:48, 16:48].any()


def test_reenact_gray_source_gives_gray_result(animator, photograph, clip, tmp_path):
    Image.fromarray(photograph).convert("L").save(tmp_path / "gray.png")
    for look in (RenderConfig(), RenderConfig(paste_back=True)):
        plain(
            animator,
            tmp_path / "gray.png",
            tmp_path / "gray.png",
            tmp_path / "out.png",
            render=look,
            overwrite=True,
        )
        assert not np.ptp(read_image(tmp_path / "out.png"), axis=-1).any()
    look = RenderConfig("red")
    plain(
        animator,
        tmp_path / "gray.png",
        tmp_path / "gray.png",
        tmp_path / "out.png",
        render=look,
        overwrite=True,
    )
    assert np.ptp(read_image(tmp_path / "out.png"), axis=-1).any()


def test_reenact_side_by_side_crops_small_driving_face(animator, photo, photograph, tmp_path):
    scene = np.full((700, 1200, 3), 255, np.uint8)
    scene[400:656, 900:1156] = photograph
    Image.fromarray(scene).save(tmp_path / "scene.png")
    plain(
        animator, photo, tmp_path / "scene.png", tmp_path / "out.png", render=RenderConfig(side_by_side=True)
    )
    driver = read_image(tmp_path / "out.png")[47 : 47 + 256, 272 : 272 + 256]
    assert (driver < 250).any(axis=-1).mean() > 0.3
