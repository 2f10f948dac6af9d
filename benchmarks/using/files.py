"""Hostile and unusual files, and the pictures that they are made of."""

from __future__ import annotations

import io
import struct
import wave
import zipfile
import zlib
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import pillow_heif
from PIL import Image

from synthetic_heads import render, sample_identity, sample_motion

SIZE = 256


def head(seed: int = 60, size: int = SIZE) -> Image.Image:
    """A drawn person."""
    return Image.fromarray(render(sample_identity(seed), np.zeros(20, np.float32), size).image)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file."""
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def heic(image: Image.Image) -> bytes:
    """As telephones make them."""
    data = io.BytesIO()
    pillow_heif.from_pillow(image).save(data)
    return data.getvalue()


def rotated(image: Image.Image) -> bytes:
    """Lying on its side, with EXIF data that say so."""
    exif = Image.Exif()
    exif[274] = 6
    return encoded(image.rotate(90, expand=True), "JPEG", exif=exif)


def sixteen_bits(image: Image.Image) -> bytes:
    """Gray, with 16 bits."""
    levels = np.asarray(image.convert("L")).astype(np.uint16) * 257
    return encoded(Image.fromarray(levels), "PNG")


def bomb(side: int) -> bytes:
    """A white picture of many pixels and few bytes."""
    rows = zlib.compressobj(9)
    line = b"\0" + b"\xff" * (side // 8)
    packed = b"".join(rows.compress(line) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def boasting() -> bytes:
    """A header that promises 60,000 pixels a side."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"") + _chunk(b"IEND", b"")


def text_bomb(image: Image.Image) -> bytes:
    """A picture with 200 MB of text, packed."""
    whole = encoded(image, "PNG")
    chunk = _chunk(b"zTXt", b"comment\0\0" + zlib.compress(b"a" * 200_000_000, 9))
    return whole[:33] + chunk + whole[33:]


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def animated(frames: int = 6) -> bytes:
    """A GIF of a talking head."""
    pictures = [Image.fromarray(picture) for picture in heads(frames, 128)]
    return encoded(pictures[0], "GIF", save_all=True, append_images=pictures[1:], duration=100)


def heads(frames: int, size: int = 128) -> list[np.ndarray]:
    """Somebody who talks."""
    motion = sample_motion(61, frames, 12, motion_style="actor").motion
    return [render(sample_identity(61), vector, size).image for vector in motion]


def flat(width: int, height: int, count: int) -> list[np.ndarray]:
    """Gray frames."""
    return [np.full((height, width, 3), 90, np.uint8)] * count


def film(
    frames: list[np.ndarray], rate: Fraction | int = 12, codec: str = "libx264", kind: str = "mp4"
) -> bytes:
    """A video."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"film.{kind}"
        with av.open(path, "w") as container:
            stream = container.add_stream(codec, rate=Fraction(rate))
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        return path.read_bytes()


def sound(kind: str = "mp4") -> bytes:
    """A video file with sound alone."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"sound.{kind}"
        with av.open(path, "w") as container:
            stream = container.add_stream("aac", rate=16_000, layout="mono")
            for number in range(20):
                samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
                samples.sample_rate, samples.pts = 16_000, 1024 * number
                container.mux(stream.encode(samples))
            container.mux(stream.encode())
        return path.read_bytes()


def tone() -> bytes:
    """A WAV file."""
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    return data.getvalue()


def no_frames() -> bytes:
    """An mp4 with a header and nothing else."""
    whole = film(flat(64, 64, 5))
    at = whole.index(b"mdat") - 4
    length = struct.unpack(">I", whole[at : at + 4])[0]
    return whole[:at] + struct.pack(">I", 8) + b"mdat" + whole[at + length :]


def corrupt() -> bytes:
    """A talking head with noise in its middle."""
    whole = film(heads(24))
    noise = np.random.default_rng(0).bytes(len(whole) // 10)
    at = len(whole) // 2
    return whole[:at] + noise + whole[at + len(noise) :]


def archive() -> bytes:
    """A ZIP file whose member wants to lie elsewhere."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("../../../tmp/out.py", "print()")
    return data.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>'
HTML = b"<!doctype html><script>fetch('/config')</script>"
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"
PLAYLIST = (
    b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n"
    b"#EXTINF:10,\nhttp://127.0.0.1:1/secret.ts\n#EXT-X-ENDLIST\n"
)
SCRIPT = b"ffconcat version 1.0\nfile '/etc/passwd'\n"
