from __future__ import annotations

import av
import numpy as np
import pytest

from facegan.io.sound import DEFAULT_RATE
from facegan.io.video_writer import VideoWriter
from facegan.provenance import ManifestClaim, ProvenanceConfig, ProvenanceWriter

IMAGE = np.full((64, 64, 3), 128, np.uint8)
RATE = 48_000
UNMARKED = ProvenanceWriter(ProvenanceConfig(marks=False), ManifestClaim("tiny", ()))


def rewritten(path, out):
    """The video with other pictures."""
    with av.open(path) as container:
        times = sorted(frame.time for frame in container.decode(video=0))
    with VideoWriter.open(out, (64, 64), 25, UNMARKED, path) as writer:
        for time in times:
            writer.write(IMAGE, time - times[0])
    return out


def packets(path):
    with av.open(path) as container:
        stream = container.streams.audio[0]
        found = [packet for packet in container.demux(stream) if packet.size]
        return stream.codec.canonical_name, [bytes(packet) for packet in found], found


def samples(path):
    """Mono samples at their times from the start of the file: rate 48000."""
    wave = np.zeros(10 * RATE)
    end = 0
    with av.open(path) as container:
        start = (container.start_time or 0) / av.time_base
        resampler = av.AudioResampler("flt", "mono", RATE)
        for decoded in container.decode(audio=0):
            for frame in resampler.resample(decoded):
                first = round((frame.time - start) * RATE)
                values = frame.to_ndarray()[0]
                keep = values[max(0, -first) :]
                wave[max(0, first) : max(0, first) + len(keep)] = keep
                end = max(end, first + len(values))
    return wave[:end]


def onset(wave):
    """Seconds until the tone begins."""
    return np.argmax(np.abs(wave) > 0.2) / RATE


@pytest.mark.parametrize(
    ("name", "video", "codec", "canonical"),
    [
        ("a.mp4", "libx264", "aac", "aac"),
        ("a.mov", "libx264", "alac", "alac"),
        ("a.mkv", "libx264", "aac", "aac"),
        ("f.mkv", "libx264", "flac", "flac"),
        ("o.mkv", "libx264", "libopus", "opus"),
        ("o.webm", "libvpx-vp9", "libopus", "opus"),
        ("c.mkv", "libx264", "ac3", "ac3"),
        ("m.avi", "mpeg4", "libmp3lame", "mp3"),
    ],
)
def test_sound_supported_by_mp4_is_copied(make_video, tmp_path, name, video, codec, canonical):
    path = make_video(name, [IMAGE] * 25, video=video, sound=codec)
    out = rewritten(path, tmp_path / "out.mp4")
    kind, contents, before = packets(path)
    kind_out, contents_out, after = packets(out)
    assert kind_out == kind == canonical
    assert contents_out == contents
    times, times_out = ([float(p.pts * p.time_base) for p in found] for found in (before, after))
    np.testing.assert_allclose(np.diff(times_out), np.diff(times), atol=1.1e-3)
    assert onset(samples(out)) == pytest.approx(onset(samples(path)), abs=1e-3)
    assert len(samples(out)) == pytest.approx(len(samples(path)), abs=0.03 * RATE)


def test_sound_of_transport_stream_is_kept(make_video, tmp_path):
    path = make_video("a.ts", [IMAGE] * 25)
    out = rewritten(path, tmp_path / "out.mp4")
    header = 7  # an mp4 says once what a transport stream says in each packet
    assert packets(out)[1] == [content[header:] for content in packets(path)[1]]
    assert onset(samples(out)) == pytest.approx(onset(samples(path)), abs=1e-3)


@pytest.mark.parametrize(
    ("name", "video", "codec", "rate", "layout", "expected"),
    [
        ("p.mov", "libx264", "pcm_s16le", 44_100, "stereo", 44_100),
        ("p.avi", "mpeg4", "pcm_s16le", 8_000, "mono", 8_000),
        ("p.mkv", "libx264", "pcm_s24le", 96_000, "5.1", 96_000),
        ("odd.mkv", "libx264", "pcm_f32le", 37_800, "stereo", DEFAULT_RATE),
        ("m.mpg", "mpeg1video", "mp2", 48_000, "stereo", 48_000),
    ],
)
def test_sound_other_codec_becomes_aac(make_video, tmp_path, name, video, codec, rate, layout, expected):
    path = make_video(name, [IMAGE] * 25, video=video, sound=codec, rate=rate, layout=layout)
    out = rewritten(path, tmp_path / "out.mp4")
    with av.open(out) as container:
        stream = container.streams.audio[0]
        assert stream.codec.canonical_name == "aac"
        assert stream.rate == expected
        assert stream.channels == (1 if layout == "mono" else 2)
    before, after = samples(path), samples(out)
    assert len(after) == pytest.approx(len(before), abs=2.1 * 1024 / expected * RATE)
    assert onset(after) == pytest.approx(onset(before), abs=1e-3)
    spectrum = np.abs(np.fft.rfft(after[int(0.6 * RATE) : int(1.0 * RATE)]))
    assert np.argmax(spectrum) / 0.4 == pytest.approx(440, abs=3)


def test_sound_of_other_length_is_kept(make_video, tmp_path):
    for seconds in (0.3, 3.0):
        path = make_video("a.mp4", [IMAGE] * 25, seconds=seconds)
        assert packets(rewritten(path, tmp_path / "out.mp4"))[1] == packets(path)[1]


def test_sound_of_late_video_stays_synchronous(make_video, tmp_path):
    path = make_video("late.mkv", [IMAGE] * 25, times=list(range(10, 35)))
    out = tmp_path / "out.mp4"
    with VideoWriter.open(out, (64, 64), 25, UNMARKED, path) as writer:
        for number in range(10, 35):
            writer.write(IMAGE, number / 25)
    with av.open(out) as container:
        first = next(container.decode(video=0)).time
    assert first == pytest.approx(0.4, abs=0.03)
    assert onset(samples(out)) == pytest.approx(onset(samples(path)), abs=1e-3)


def test_sound_packets_with_equal_times_are_kept(make_video, tmp_path):
    good = make_video("good.mp4", [IMAGE] * 25)
    bad = tmp_path / "bad.mkv"
    with av.open(good) as original, av.open(bad, "w") as container:
        streams = {stream: container.add_stream_from_template(stream) for stream in original.streams}
        for packet in original.demux():
            if packet.size:
                if packet.stream.type == "audio" and packet.pts > 20_000:
                    packet.pts = packet.dts = packet.pts // 2048 * 2048
                packet.stream = streams[packet.stream]
                container.mux(packet)
    times = [packet.pts for packet in packets(bad)[2]]
    assert min(np.diff(times)) == 0
    assert packets(rewritten(bad, tmp_path / "out.mp4"))[1] == packets(good)[1]


def test_sound_damaged_ends_at_damage(make_video, tmp_path):
    path = make_video("a.mkv", [IMAGE] * 50, seconds=2)
    whole = packets(path)[1]
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    contents = packets(rewritten(path, tmp_path / "out.mp4"))[1]
    assert 10 < len(contents) < len(whole)
    assert contents[:-1] == whole[: len(contents) - 1]


def test_sound_damaged_packets_are_skipped(make_video, tmp_path):
    path = make_video("m.mpg", [IMAGE] * 50, video="mpeg1video", sound="mp2", seconds=2)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = bytes(np.random.default_rng(0).integers(0, 256, 600, np.uint8))
    path.write_bytes(data)
    assert len(samples(rewritten(path, tmp_path / "out.mp4"))) > 1.5 * RATE
