"""Hostile and unusual files by name, and whether the page has to refuse them."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction

import av
import numpy as np
from PIL import Image

from synthetic_heads import render, sample_identity, sample_motion

RESULT, REFUSED, EITHER = "result", "refused", "either"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>'
HTML = b"<!doctype html><script>fetch('/config')</script>"
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"
PLAYLIST = b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXTINF:10,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n"
FFMPEG_SCRIPT = b"ffconcat version 1.0\nfile '/etc/passwd'\n"


def render_head(seed: int = 60, size: int = 192) -> Image.Image:
    return Image.fromarray(render(sample_identity(seed), np.zeros(20, np.float32), size).image)


def render_frames(count: int, size: int = 128) -> list[np.ndarray]:
    motions = sample_motion(61, count, 12, motion_style="actor").motion
    return [render(sample_identity(61), motion, size).image for motion in motions]


def encode_image(image: Image.Image, kind: str, **options) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def encode_video(frames, fps=12, codec="libx264", container="mp4", size=None, count=None) -> bytes:
    """Frames, or ``count`` gray ones of (width, height) ``size``."""
    data = io.BytesIO()
    frames = frames or [np.full((size[1], size[0], 3), 90, np.uint8)] * count
    with av.open(data, "w", format=container) as output:
        stream = output.add_stream(codec, rate=Fraction(fps))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        output.mux(stream.encode())
    return data.getvalue()


def encode_sound() -> bytes:
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=16_000, layout="mono")
        for number in range(20):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            samples.sample_rate, samples.pts = 16_000, 1024 * number
            output.mux(stream.encode(samples))
        output.mux(stream.encode())
    return data.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_bomb(side: int) -> bytes:
    """A white image of many pixels and few bytes."""
    rows = zlib.compressobj(9)
    line = b"\0" + b"\xff" * (side // 8)
    packed = b"".join(rows.compress(line) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def text_bomb(png: bytes) -> bytes:
    """A PNG file with 200 MB of text, compressed."""
    return png[:33] + _chunk(b"zTXt", b"comment\0\0" + zlib.compress(bytes(200_000_000), 9)) + png[33:]


def without_frames(video: bytes) -> bytes:
    """An mp4 file whose frames are cut out."""
    start = video.index(b"mdat") - 4
    length = struct.unpack(">I", video[start : start + 4])[0]
    return video[:start] + struct.pack(">I", 8) + b"mdat" + video[start + length :]


def hostile_files() -> list[tuple[str, str, bytes, str]]:
    """Upload field, file name, content, expected outcome."""
    face = render_head()
    jpeg, png = encode_image(face, "JPEG"), encode_image(face, "PNG")
    video, wall = encode_video(render_frames(8)), Image.new("RGB", (300, 300), "teal")
    noise, exif = np.random.default_rng(0).bytes(5000), Image.Exif()
    exif[274] = 6
    turned = encode_image(face.rotate(90, expand=True), "JPEG", exif=exif)
    transparent = face.copy()
    transparent.putalpha(Image.radial_gradient("L").resize(face.size))
    gray = np.asarray(face.convert("L"))
    corrupt = video[: len(video) // 2] + noise[:500] + video[len(video) // 2 + 500 :]
    names = (
        *(
            "../../../../etc/passwd",
            "..\\..\\windows\\win.ini.png",
            "/etc/cron.d/job.png",
            ".htaccess",
            "....",
        ),
        *("<img src=x onerror=alert(1)>.png", "a\"b'c\r\nX-Evil: 1.png", "x" * 300 + ".png", "Zoë 你好.png"),
    )
    sources = [
        ("empty.png", b"", REFUSED),
        ("text.png", b"no image\n" * 50, REFUSED),
        ("noise.jpg", noise, REFUSED),
        ("truncated.jpg", jpeg[: len(jpeg) // 2], REFUSED),
        ("truncated.png", png[: len(png) // 2], REFUSED),
        ("script.svg", SVG, REFUSED),
        ("svg.png", SVG, REFUSED),
        ("html.jpg", HTML, REFUSED),
        ("postscript.eps", POSTSCRIPT, REFUSED),
        ("a.pdf", b"%PDF-1.7\n1 0 obj<<>>endobj\n", REFUSED),
        ("bomb.png", png_bomb(10_000), REFUSED),
        ("larger_bomb.png", png_bomb(30_000), REFUSED),
        ("text_bomb.png", text_bomb(png), EITHER),
        ("101_megabytes.jpg", jpeg + bytes(106_000_000), REFUSED),
        ("pixel.png", encode_image(face.resize((1, 1)), "PNG"), REFUSED),
        ("line.png", encode_image(face.resize((40_000, 2)), "PNG"), REFUSED),
        ("no_face.png", encode_image(wall, "PNG"), REFUSED),
        ("video.mp4", video, REFUSED),
        ("float.tif", encode_image(Image.fromarray(gray.astype(np.float32)), "TIFF"), REFUSED),
        ("cmyk.jpg", encode_image(face.convert("CMYK"), "JPEG"), RESULT),
        ("turned.jpg", turned, RESULT),
        ("16_bits.png", encode_image(Image.fromarray(gray.astype(np.uint16) * 257), "PNG"), RESULT),
        ("transparent.png", encode_image(transparent, "PNG"), RESULT),
        ("gray.jpg", encode_image(face.convert("L"), "JPEG"), RESULT),
        ("palette.png", encode_image(face.convert("P"), "PNG"), RESULT),
        ("a.webp", encode_image(face, "WEBP"), RESULT),
        ("a.avif", encode_image(face, "AVIF"), RESULT),
        ("pages.tif", encode_image(face, "TIFF", save_all=True, append_images=[face]), RESULT),
        ("png.svg", png, RESULT),
        *((name, png, RESULT) for name in names),
    ]
    driving = [
        ("empty.mp4", b"", REFUSED),
        ("text.mp4", b"no video\n" * 99, REFUSED),
        ("truncated.mp4", video[: len(video) // 2], REFUSED),
        ("sound.mp4", encode_sound(), REFUSED),
        ("without_frames.mp4", without_frames(video), REFUSED),
        ("no_face.mp4", encode_video([], size=(128, 128), count=8), REFUSED),
        ("70_seconds.mp4", encode_video([], 1, size=(64, 64), count=70), REFUSED),
        ("4000_frames.mp4", encode_video([], 1000, size=(16, 16), count=4000), REFUSED),
        ("8k.mp4", encode_video([], codec="mpeg4", size=(7680, 4320), count=1), REFUSED),
        ("playlist.m3u8", PLAYLIST, REFUSED),
        ("playlist.mp4", PLAYLIST, REFUSED),
        ("disguised_playlist.mp4", PLAYLIST.replace(b"\n", b"\n\x01\n", 1), REFUSED),
        ("script.mp4", FFMPEG_SCRIPT, REFUSED),
        ("svg.mp4", SVG, REFUSED),
        ("bomb.png", png_bomb(10_000), REFUSED),
        ("corrupt.mp4", corrupt, EITHER),
        ("image.png", png, RESULT),
        ("a.avi", encode_video(render_frames(4), codec="mpeg4", container="avi"), RESULT),
    ]
    backgrounds = [("text.png", b"no image", REFUSED), ("bomb.png", png_bomb(10_000), REFUSED)]
    backgrounds += [("a.svg", SVG, REFUSED), ("a.png", png, RESULT)]
    groups = {"source": sources, "driving-video": driving, "background-image": backgrounds}
    return [(field, *case) for field, cases in groups.items() for case in cases]
